/**
 * What stands in a place, without what it says: `text of 1,704 characters that looks like PEM`, `a list of 3`.
 * Any value that a program gives may be a secret in the wrong place, so messages describe it.
 */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return describeText(value);
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "boolean") return "true or false";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (isOutput(value)) return "an Output";
  return typeof value === "object" ? `a map of ${Object.keys(value).length}` : `a ${typeof value}`;
}

/** Whether a program gave an Output of Pulumi's where a value has to be known. */
export function isOutput(value: unknown): boolean {
  return typeof value === "object" && value !== null && "__pulumiOutput" in value && value.__pulumiOutput === true;
}

/** As {@link describeValue}, of text. */
export function describeText(text: string): string {
  const length = `text of ${text.length.toLocaleString("en-US")} ${text.length === 1 ? "character" : "characters"}`;
  const kind = kindOf(text);
  return kind === undefined ? length : `${length} that looks like ${kind}`;
}

function kindOf(text: string): string | undefined {
  if (text.includes("-----BEGIN ")) return "PEM";
  if (/^\s*[[{]/.test(text)) return "JSON";
  if (text.length >= 32 && /^(?:[0-9A-Fa-f]{2})+$/.test(text)) return "hexadecimal digits";
  return text.length >= 32 && /^[\w+/\s-]+={0,2}\s*$/.test(text) && !text.includes(" ") ? "base64" : undefined;
}

/** The name of a member, in quotes, where it is written like one; else what stands in its place. */
export function shownName(name: string): string {
  return /^\w[\w.:-]{0,63}$/.test(name) ? `"${name}"` : `a name (${describeText(name)})`;
}
