import { createHash } from "node:crypto";

/** Names as state holds them: the list itself, or for a long one how many they are and a digest. */
export type RecordedNames = string[] | string;

/** Characters of a list that state holds as it is. A longer one would stand there twice, in inputs and outputs. */
const MOST_CHARACTERS = 4_000;

/** Long lists of this process by their digest: `check` keeps what `create` and `update` need. */
const atHand = new Map<string, string[]>();

/** Without repetition (names are without case) and in the order of a vault's lists. */
export function normalNames(names: readonly string[]): string[] {
  const byId = new Map(names.map((name) => [name.toLowerCase(), name]));
  return [...byId.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
}

/** What state holds of a list; undefined for an empty one. */
export function recordNames(names: readonly string[]): RecordedNames | undefined {
  const normal = normalNames(names);
  if (normal.length === 0) return undefined;
  if (JSON.stringify(normal).length <= MOST_CHARACTERS) return normal;
  const digest = createHash("sha256").update(normal.join("\n").toLowerCase()).digest("base64url");
  const record = `${normal.length} names, sha256:${digest}`;
  atHand.set(record, normal);
  return record;
}

/** The names of a record; undefined for a digest whose list was not given in this process. */
export function namesOf(record: RecordedNames | undefined): string[] | undefined {
  return typeof record === "string" ? atHand.get(record) : (record ?? []);
}
