import type { PageOptions } from "../../provider/keyvault/client.js";
import { isKeyVaultError, KeyVaultError, type KeyVaultErrorCode } from "../../provider/keyvault/errors.js";
import { counted } from "../text/counted.js";

/** The exit code of a command that made its report without what it could not read. */
export const INCOMPLETE = 8;

/** What could not be read of all objects of a collection is told once, in this place of a name. */
export const ALL_NAMES = "*";

export const UNREAD_PARTS = ["list", "list of deleted ones", "versions", "rotation policy"] as const;

/** An object of the vault that is there and could not be read, and why. */
export interface UnreadObject {
  collection: "keys" | "secrets";
  /** Or {@link ALL_NAMES}. */
  name: string;
  /** What of it; left out for the object itself. */
  part?: (typeof UNREAD_PARTS)[number];
  code: KeyVaultErrorCode;
  reason: string;
}

/** Failures of one object, after which the others are worth asking for. Any other is one of the vault or the way to it. */
const OF_ONE_OBJECT: ReadonlySet<string> = new Set<KeyVaultErrorCode>([
  "KV_FORBIDDEN",
  "KV_NOT_FOUND",
  "KV_INVALID_INPUT",
  "KV_UNAVAILABLE",
  "KV_PROTOCOL",
]);

export function isOfOneObject(code: string): boolean {
  return OF_ONE_OBJECT.has(code);
}

/** @throws the error itself where it is not one of a single object. */
export function unreadObject(
  collection: UnreadObject["collection"],
  name: string,
  error: unknown,
  part?: UnreadObject["part"],
): UnreadObject {
  if (!isKeyVaultError(error) || !isOfOneObject(error.code)) throw error;
  return { collection, name, ...(part && { part }), code: error.code, reason: error.message };
}

/** For a list: notes what of it cannot be read, so that the rest is listed. */
export function oddLines(
  collection: UnreadObject["collection"],
  unread: UnreadObject[],
  isIgnored: (name: string) => boolean,
): PageOptions {
  return {
    onOddLine(error) {
      const { objectName = "(without a name)" } = error;
      if (!isIgnored(objectName)) unread.push(unreadObject(collection, objectName, error));
    },
  };
}

/** What stands in the way of taking an answer for the object that was asked for. */
export function strangeAnswer(collection: UnreadObject["collection"], name: string, why: string): KeyVaultError {
  return new KeyVaultError("KV_PROTOCOL", `${collection}/${name} ${why}`, { hint: "look at what answers there" });
}

const MOST_NAMES = 20;

/** For standard error: by name, what the report lacks. Objects that failed with one code stand together, with the first reason. */
export function describeUnread(unread: readonly UnreadObject[]): string[] {
  const groups = new Map<string, UnreadObject[]>();
  for (const each of unread) {
    const kind = `${each.code} ${each.part ?? ""}`;
    groups.set(kind, [...(groups.get(kind) ?? []), each]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    const names = group.slice(0, MOST_NAMES).map(({ collection, name }) => `${collection}/${name}`);
    const more = group.length > MOST_NAMES ? ` and ${group.length - MOST_NAMES} more` : "";
    const what = first?.part === undefined ? "" : `the ${first.part} of `;
    const others = group.length > 1 ? ` (the first of ${counted(group.length, "failure")})` : "";
    return `${what}${names.join(", ")}${more} could not be read: ${first?.code}: ${first?.reason}${others}`;
  });
}
