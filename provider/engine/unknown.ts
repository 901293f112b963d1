/**
 * What the engine sends in a preview for a value that is known only after another resource has been made.
 * One marker per type, as in the engine's own plugin protocol; a dynamic provider may also return it.
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const MARKERS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/** True for a value that the preview does not know yet. */
export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && MARKERS.has(value);
}

/** True where a value, or anything inside it, is not known yet. */
export function containsUnknown(value: unknown): boolean {
  // A list of what is still to be looked at, since a program's value may be nested deeper than the stack is high.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (isUnknown(next)) return true;
    if (next !== null && typeof next === "object") for (const member of Object.values(next)) left.push(member);
  }
  return false;
}
