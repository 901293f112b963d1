import { PartialFailure } from "../engine/lifecycle.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyFailures } from "./each-key.js";

const MOST_TOLD = 20;

/**
 * All that failed, by name, within what a person reads.
 *
 * @param what what they are or could not be: `are not as the program says`.
 */
export function failureOf(
  vaultUrl: string,
  outcomes: readonly KeyFailures[],
  { what, hint }: { what: (are: "is" | "are") => string; hint: string },
): KeyVaultError | undefined {
  const failed = outcomes.flatMap((outcome) => [...outcome.failed]);
  const untried = outcomes.flatMap((outcome) => (outcome.untried === undefined ? [] : [outcome.untried]));
  if (failed.length === 0 && untried.length === 0) return undefined;
  const lines = failed.slice(0, MOST_TOLD).map(([name, error]) => `key "${name}": ${messageOf(error)}`);
  if (failed.length > MOST_TOLD) {
    const more = failed.slice(MOST_TOLD).map(([name]) => name);
    lines.push(`and ${more.length} more: ${more.slice(0, 100).join(", ")}${more.length > 100 ? ", …" : ""}`);
  }
  for (const { names, reason } of untried) lines.push(`${names.length} were not tried, since ${reason}`);
  const [first] = failed.map(([, error]) => reasonOf(error)).filter((error) => isKeyVaultError(error));
  const count = failed.length + untried.reduce((sum, { names }) => sum + names.length, 0);
  return new KeyVaultError(
    first?.code ?? "KV_TIMEOUT",
    `${count === 1 ? "1 key" : `${count} keys`} of the set in ${vaultUrl} ${what(count === 1 ? "is" : "are")}:\n  ${lines.join("\n  ")}`,
    { hint },
  );
}

/** By name: why each key was not done, in a sentence. */
export function reasonsByName({ failed, untried }: KeyFailures): Map<string, string> {
  const reasons = new Map([...failed].map(([name, error]) => [name, messageOf(error)]));
  for (const name of untried?.names ?? []) reasons.set(name, `not tried, since ${untried?.reason}`);
  return reasons;
}

function reasonOf(error: unknown): unknown {
  return error instanceof PartialFailure ? error.reason : error;
}

function messageOf(error: unknown): string {
  const reason = reasonOf(error);
  if (!(reason instanceof Error)) return "failed for an unknown reason";
  return (isKeyVaultError(reason) ? `${reason.code}: ` : "") + reason.message;
}
