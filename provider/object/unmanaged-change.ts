import { canonicalJson } from "../engine/normal-form.js";
import { tell } from "../engine/progress.js";

/** An attribute that the program leaves to the vault, and that somebody has changed there. */
export interface UnmanagedChange {
  /** As messages name the object: `key "orders" in https://v.vault.azure.net`. */
  label: string;
  attribute: string;
}

const ENDING = " changed in the vault, and the program leaves it to the vault (changed, not managed)";

/** One line for people, which {@link parseUnmanagedChange} reads back. It shows no value: tags may be secret. */
export function formatUnmanagedChange({ label, attribute }: UnmanagedChange): string {
  return `${label}: ${attribute}${ENDING}`;
}

/** Undefined for any other line. */
export function parseUnmanagedChange(line: string): UnmanagedChange | undefined {
  if (!line.endsWith(ENDING)) return undefined;
  const match = /^(?<label>.+): (?<attribute>\w+)$/.exec(line.slice(0, -ENDING.length));
  const { label, attribute } = match?.groups ?? {};
  return label === undefined || attribute === undefined ? undefined : { label, attribute };
}

/** Tells which of the attributes that the program leaves out are not what they were when they were last seen. */
export function tellUnmanagedChanges<A extends object>(
  label: string,
  names: readonly (keyof A)[],
  { before, now, declared }: { before: Partial<A>; now: A; declared: A },
): void {
  for (const attribute of names) {
    if (declared[attribute] !== undefined) continue;
    if (canonicalJson(before[attribute]) === canonicalJson(now[attribute])) continue;
    tell(formatUnmanagedChange({ label, attribute: String(attribute) }));
  }
}
