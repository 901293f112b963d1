import type { SecretPath } from "./wire-properties.js";

/** What state holds of all keys of a set, each as a whole: the input, and the compressed text. */
const TEXTS = ["keys", "records"] as const;

/** Members of a set that none of its keys is recorded with. */
const OF_SET_ALONE = new Set(["vaultUrl", "credential", "timeouts", "import", "removed", "publicKeys"]);

/** Members of a key of which state holds no more than a digest. */
const DIGESTED = new Set(["import", "restore"]);

/**
 * What is secret in the state of a set beside what a program has marked itself. A setting of the set stands in the
 * record of each key that differs in it: after drift, and where an update did not reach the key. A mark on a whole key,
 * or on all of them, tells nothing of where the secret is.
 */
export function secretsOfSet(marked: readonly SecretPath[]): readonly string[] {
  return marked.some(isRecordedOfKeys) ? TEXTS : [];
}

function isRecordedOfKeys([name = "", _key, member]: SecretPath): boolean {
  return name === "keys" ? member === undefined || !DIGESTED.has(member) : !OF_SET_ALONE.has(name);
}
