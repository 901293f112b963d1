import type { FaultKind, FaultRule } from "../../emulator/index.js";
import { CliError } from "../failure/cli-error.js";

/** By name, so that the compiler tells of a kind that is missing here. */
const KINDS: Record<FaultKind, true> = {
  dropBefore: true,
  dropAfter: true,
  status: true,
  latency: true,
  slowBody: true,
  truncated: true,
  contentType: true,
  expiredToken: true,
  claims: true,
  throttled: true,
  conflict: true,
};

const TEXTS = ["operation", "method", "path"] as const;
const LIMITS: Record<string, { least: number; most: number; isWhole: boolean }> = {
  times: { least: 0, most: 1_000_000, isWhole: true },
  after: { least: 0, most: 1_000_000, isWhole: true },
  probability: { least: 0, most: 1, isWhole: false },
  status: { least: 400, most: 599, isWhole: true },
  milliseconds: { least: 0, most: 600_000, isWhole: true },
};

/**
 * Reads `dropAfter,operation=importKey,times=1`.
 *
 * @throws CliError `KV_USAGE`
 */
export function parseFault(text: string): FaultRule {
  const [kind = "", ...members] = text.split(",");
  if (!isKind(kind)) throw wrong(text, `"${kind}" is no kind of fault: it is one of ${Object.keys(KINDS).join(", ")}`);
  const rule: FaultRule = { kind };
  for (const member of members) {
    const equals = member.indexOf("=");
    const name = member.slice(0, equals);
    const value = member.slice(equals + 1);
    const textMember = TEXTS.find((each) => each === name);
    const limit = LIMITS[name];
    if (equals < 1 || (!textMember && !limit)) {
      throw wrong(
        text,
        `"${member}" is no member: write name=value with ${[...TEXTS, ...Object.keys(LIMITS)].join(", ")}`,
      );
    }
    if (textMember) rule[textMember] = value;
    else if (limit) Object.assign(rule, { [name]: numberWithin(text, name, value, limit) });
  }
  return rule;
}

function numberWithin(
  text: string,
  name: string,
  value: string,
  { least, most, isWhole }: { least: number; most: number; isWhole: boolean },
): number {
  const number = Number(value);
  const isIn = value !== "" && number >= least && number <= most && (!isWhole || Number.isInteger(number));
  if (!isIn) throw wrong(text, `${name} is a ${isWhole ? "whole " : ""}number from ${least} to ${most}`);
  return number;
}

function isKind(kind: string): kind is FaultKind {
  return Object.hasOwn(KINDS, kind);
}

function wrong(text: string, why: string): CliError {
  return new CliError("KV_USAGE", `--fault ${text}: ${why}`);
}
