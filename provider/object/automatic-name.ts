import { createHash } from "node:crypto";

/** What a vault takes of a name. */
const LONGEST_NAME = 127;

/**
 * The name of an object that the program leaves unnamed: the resource's with a suffix that follows from its URN. It looks
 * random and differs between stacks, and yet an interrupted run finds the object that it had made.
 */
export function automaticName(resourceName: string, urn: string): string {
  const suffix = createHash("sha256").update(urn).digest("hex").slice(0, 7);
  return `${nameFrom(resourceName, LONGEST_NAME - suffix.length - 1)}-${suffix}`;
}

/** A text as a vault can take it for a name: its letters, digits and hyphens. */
export function nameFrom(text: string, longest = LONGEST_NAME): string {
  return text.replace(/[^0-9A-Za-z-]+/g, "-").slice(0, longest) || "object";
}
