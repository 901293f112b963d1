/** Properties as the engine hands them back: secrets in plain text. */
export function stored(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    item !== null && typeof item === "object" && "4dabf18193072939515e22adb298388d" in item && "value" in item
      ? item.value
      : item,
  );
}
