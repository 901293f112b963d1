import { objectAt, stringAt } from "./json.js";
import type { Step } from "./scenario.js";

/** Number of an api-version that grows with time: 2015-06-01 is 0, 2016-10-01 is 1, 7.3 is 703, 2025-07-01 is 202507. */
export function apiOrdinal(version: string): number {
  const numbered = /^(\d+)\.(\d+)/.exec(version);
  if (numbered !== null) return Number(numbered[1]) * 100 + Number(numbered[2]);
  const year = Number(version.slice(0, 4));
  return year < 2018 ? year - 2015 : year * 100 + Number(version.slice(5, 7));
}

export const isPreview = (version: string) => version.includes("preview");

/** Whether the service build that answered is older than the given one; an unnamed build of a vault counts as old. */
export function isBuildBefore(step: Step, build: string): boolean {
  const answered = step.exchange.response.headers["x-ms-keyvault-service-version"];
  if (answered === undefined || !/^\d+(\.\d+)+$/.test(answered)) return true;
  const theirs = answered.split(".").map(Number);
  for (const [index, part] of build.split(".").map(Number).entries()) {
    const difference = (theirs[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * Members that today's service adds to what a recorded build said. `path` is the member's path in the body without
 * array positions.
 */
export function isAddedSince(path: string, step: Step, plane: "vault" | "managedhsm", recorded: object): boolean {
  const member = path.split(".").at(-1) ?? "";
  const api = apiOrdinal(step.apiVersion);
  switch (member) {
    case "recoveryLevel":
      return api < 1 || "recoverylevel" in recorded || api === 1;
    case "recoverableDays":
      return api < 701 || (api === 701 && isPreview(step.apiVersion)) || isBuildBefore(step, "1.1.10");
    case "exportable":
      return plane === "vault" ? isBuildBefore(step, "1.9.501") : api < 703;
    case "hsmPlatform":
      return api >= 705 && isBuildBefore(step, "1.9.1054");
    case "key_size":
      return api < 202_601 || isUnseenSize(step);
    default:
      return false;
  }
}

/** Sizes were recorded of RSA and symmetric keys in bundles that are no deleted ones, and nowhere else. */
function isUnseenSize({ operation, exchange }: Step): boolean {
  const isBundle = !["list", "versions", "listDeleted", "getDeleted", "delete"].includes(operation.kind);
  return !isBundle || /^EC/.test(stringAt(objectAt(exchange.response.body, "key"), "kty") ?? "");
}

/** Members that some builds said although their api-version does not have them. */
export function isToleratedAbsence(path: string, step: Step): boolean {
  const member = path.split(".").at(-1) ?? "";
  if (member === "recoverylevel") return true;
  if (member === "key_size") return isUnseenSize(step);
  return member === "recoverableDays" && apiOrdinal(step.apiVersion) < 701;
}

/** Builds before the inner codes, and quotations that may have lost theirs. */
export function mayLackInnerCode(step: Step, provenance: string): boolean {
  return provenance !== "recording" || isBuildBefore(step, "1.1");
}
