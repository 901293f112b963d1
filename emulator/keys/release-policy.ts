import { badParameter } from "../service-error.js";
import { flag, isRecord, optional, record, type ShapeOf, text } from "../shape.js";
import type { StoredReleasePolicy } from "../store/stored-object.js";
import type { Vault } from "../vault.js";
import { isHsmType } from "./key-bundle.js";

/** `release_policy` as it is sent. */
export const releasePolicyRules = record({
  contentType: optional(text(255)),
  data: optional(text(20_000)),
  immutable: optional(flag()),
});
export type ReleasePolicyInput = ShapeOf<typeof releasePolicyRules>;

const words = {
  missing: ["AKV.SKR.1004: Exportable keys must have release policy.", "Exportable keys must have release policy"],
  notExportable: [
    "AKV.SKR.1005: Non-exportable keys must not have release policy.",
    "Non-exportable keys must not have release policy",
  ],
  immutable: [
    "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.",
    "Immutable Release policy cannot be modified",
  ],
  unreachable: ["AKV.SKR.1012: The specified attestation service  cannot be reached.", undefined],
  noVersion: [undefined, "Key Release Policy: missing 'version' property"],
  /** These two are the emulator's own words: nobody has recorded the service's. */
  malformed: ["The key release policy is not valid.", "Key Release Policy: invalid JSON"],
  software: ["Exportable keys must be hardware keys.", undefined],
} as const satisfies Record<string, readonly [string | undefined, string | undefined]>;

/** The policy and `exportable` need each other. @throws ServiceError 400 in the words of the plane. */
export function readReleasePolicy(
  vault: Vault,
  keyType: string,
  exportable: boolean | undefined,
  given: ReleasePolicyInput | undefined,
): StoredReleasePolicy | undefined {
  if (exportable === true && given?.data === undefined) throw refusal(vault, "missing");
  if (given === undefined) return undefined;
  if (exportable !== true) throw refusal(vault, "notExportable");
  if (!isHsmType(keyType)) throw refusal(vault, "software");
  return checkedPolicy(vault, given);
}

/** A policy on update. @throws ServiceError 400 when the old one is immutable, also where the new one says the same. */
export function replaceReleasePolicy(
  vault: Vault,
  exportable: boolean,
  old: StoredReleasePolicy | undefined,
  given: ReleasePolicyInput,
): StoredReleasePolicy {
  if (!exportable) throw refusal(vault, "notExportable");
  if (old?.immutable === true) throw refusal(vault, "immutable");
  return checkedPolicy(vault, given);
}

function checkedPolicy(vault: Vault, given: ReleasePolicyInput): StoredReleasePolicy {
  const data = given.data ?? "";
  const policy = parse(data);
  if (policy === undefined || isTooDeep(policy, deepest)) throw refusal(vault, "malformed");
  if (typeof policy.version !== "string") throw refusal(vault, "noVersion");
  if (vault.plane === "managedhsm" && !isFullVersion(policy.version)) throw refusal(vault, "noVersion");
  if (vault.plane === "vault" && !authoritiesOf(policy).every((authority) => authority.startsWith("https://"))) {
    throw refusal(vault, "unreachable");
  }
  return {
    contentType: given.contentType ?? "application/json; charset=utf-8",
    data: vault.plane === "vault" ? normalData(policy) : data,
    immutable: given.immutable ?? false,
  };
}

/**
 * The policy as a vault gives it back: without spaces, the version, an authority and a claim first, and what a claim is
 * compared with as text.
 */
function normalData(policy: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(normalForm(policy))).toString("base64url");
}

/** A policy has four levels. The emulator walks through them, and does not fall into a pit. */
const deepest = 32;

function isTooDeep(value: unknown, left: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((member) => isTooDeep(member, left - 1));
}

const leading = ["version", "authority", "claim"];

function normalForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalForm);
  if (!isRecord(value)) return value;
  const names = Object.keys(value);
  const ordered = [
    ...names.filter((name) => leading.includes(name)),
    ...names.filter((name) => !leading.includes(name)),
  ];
  const isClaim = Object.hasOwn(value, "claim");
  return Object.fromEntries(
    ordered.map((name) => {
      const member = value[name];
      const isCondition = isClaim && (typeof member === "boolean" || typeof member === "number");
      return [name, isCondition ? String(member) : normalForm(member)];
    }),
  );
}

/** A Managed HSM calls "1.0" missing: it wants three numbers. */
function isFullVersion(version: unknown): boolean {
  return typeof version === "string" && /^\d+\.\d+\.\d+$/.test(version);
}

function parse(data: string): Record<string, unknown> | undefined {
  try {
    const policy: unknown = JSON.parse(Buffer.from(data, "base64url").toString("utf8"));
    return isRecord(policy) ? policy : undefined;
  } catch {
    return undefined;
  }
}

/** The attestation hosts that the policy names; the emulator reaches none of them and looks at their form only. */
function authoritiesOf(policy: Record<string, unknown>): string[] {
  return [policy.anyOf, policy.allOf].flatMap((branch) =>
    Array.isArray(branch)
      ? branch.map((each: unknown) => (isRecord(each) && typeof each.authority === "string" ? each.authority : ""))
      : [],
  );
}

function refusal(vault: Vault, reason: keyof typeof words) {
  const [onVault, onHsm] = words[reason];
  return badParameter((vault.plane === "vault" ? onVault : onHsm) ?? onVault ?? onHsm ?? "");
}
