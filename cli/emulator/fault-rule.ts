import { type FaultRule, readFaultRule } from "../../emulator/index.js";
import { CliError } from "../failure/cli-error.js";

/**
 * Reads `dropAfter,operation=importKey,times=1`.
 *
 * @throws CliError `KV_USAGE`
 */
export function parseFault(text: string): FaultRule {
  const [kind = "", ...members] = text.split(",");
  const rule: Record<string, unknown> = { kind };
  for (const member of members) {
    const equals = member.indexOf("=");
    if (equals < 1) throw wrong(text, `"${member}" is no member: write name=value`);
    const name = member.slice(0, equals);
    const value = member.slice(equals + 1);
    // Not every text of digits is a number: a key may be named so.
    rule[name] = NUMBERS.has(name) ? numberOf(value) : value;
  }
  try {
    return readFaultRule(rule);
  } catch (error) {
    if (error instanceof RangeError) throw wrong(text, error.message.replace(/\.$/, ""));
    throw error;
  }
}

const NUMBERS = new Set(["times", "after", "probability", "status", "retryAfterSeconds", "milliseconds"]);

const numberOf = (value: string): unknown => (value.trim() === "" ? value : Number(value));

function wrong(text: string, why: string): CliError {
  return new CliError("KV_USAGE", `--fault ${text}: ${why}`);
}
