/**
 * What a refresh notes in the inputs that it hands back, for the next `check`: old inputs are all that a check gets of
 * state. Nothing of it is ever sent to a vault, and the next `up` writes the program's own inputs over it.
 */

/** A digest of what the vault holds where something else was to be: `<found> instead of <expected>`. */
export interface SwappedDigest {
  found: string;
  expected: string;
}

/** Where each note can stand: a content type, or the path of an embedded vault, is free text that may read like one and is none. */
const DIGESTS: ReadonlySet<string> = new Set(["thumbprint", "valueDigest"]);
const MOMENTS: ReadonlySet<string> = new Set(["expiresOn", "notBefore"]);

const INSTEAD = " instead of ";
const OUTSIDE = " (set outside)";

export function formatSwappedDigest({ found, expected }: SwappedDigest): string {
  return `${found}${INSTEAD}${expected}`;
}

/** Undefined for a digest of what was to be there. */
export function parseSwappedDigest(text: unknown): SwappedDigest | undefined {
  if (typeof text !== "string") return undefined;
  const [found, expected, ...rest] = text.split(INSTEAD);
  return found && expected && rest.length === 0 ? { found, expected } : undefined;
}

/** The digest that is to be there, whatever a refresh has found. */
export function expectedDigest(recorded: string): string {
  return parseSwappedDigest(recorded)?.expected ?? recorded;
}

/** Marks the value of an attribute that somebody set outside, and that no program has removed. */
export function formatSetOutside(value: string): string {
  return `${value}${OUTSIDE}`;
}

export function isSetOutside(value: unknown): boolean {
  return typeof value === "string" && value.endsWith(OUTSIDE);
}

/** What the vault has of a property, without the note of a refresh. Anything else is given back as it is. */
export function observedValue(property: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (MOMENTS.has(property) && isSetOutside(value)) return value.slice(0, -OUTSIDE.length);
  return DIGESTS.has(property) ? (parseSwappedDigest(value)?.found ?? value) : value;
}

/** What was to be there, without the note of a refresh: nothing, where somebody set the attribute outside. */
export function expectedValue(property: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (MOMENTS.has(property) && isSetOutside(value)) return undefined;
  return DIGESTS.has(property) ? expectedDigest(value) : value;
}

/**
 * The inputs of a key or secret where `ignoreChanges` has the engine put in what state holds: what a refresh has found
 * there becomes what the program says, without the note. A version is nothing but a note.
 */
export function withFindingsAccepted(
  news: Readonly<Record<string, unknown>>,
  olds: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const isFinding = (name: string): boolean => news[name] !== undefined && news[name] === olds[name];
  return Object.fromEntries(
    Object.entries(news)
      .filter(([name]) => name !== "version" || !isFinding(name))
      .map(([name, value]) => [name, isFinding(name) ? observedValue(name, value) : value]),
  );
}
