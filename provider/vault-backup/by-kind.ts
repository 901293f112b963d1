/** The two kinds of objects that a vault backs up, under the names that the service's URLs have for them. */
export const COLLECTIONS = ["keys", "secrets"] as const;
export type Collection = (typeof COLLECTIONS)[number];

/** A key and a secret may have the same name: everything by name is kept by kind. */
export type ByKind<T> = {
  keys: Record<string, T>;
  secrets: Record<string, T>;
};

export function byKind<T>(): ByKind<T> {
  return { keys: {}, secrets: {} };
}

export function countOf({ keys, secrets }: ByKind<unknown>): number {
  return Object.keys(keys).length + Object.keys(secrets).length;
}

export function kindOf(collection: Collection): "key" | "secret" {
  return collection === "keys" ? "key" : "secret";
}

/** `key "orders"`. */
export function itemLabel(collection: Collection, name: string): string {
  return `${kindOf(collection)} "${name}"`;
}

/** What is recorded under a name. A key may well be named `constructor`. */
export function recorded<T>(entries: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
