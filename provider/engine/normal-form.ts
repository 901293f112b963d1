/** The named properties that are there, and no others: what is left out of a normal form means its default. */
export function pickDefined<T extends object, K extends keyof T>(properties: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]),
  ) as Pick<T, K>;
}

/** JSON in which the order of members tells nothing, for comparing what two values say. */
export function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) =>
      item !== null && typeof item === "object" && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ) ?? "undefined"
  );
}

/** Without the members that are there and undefined, however deep: what is left out of a normal form means its default. */
export function withoutUndefined<T>(value: T): T {
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, withoutUndefined(item)]),
  ) as T;
}
