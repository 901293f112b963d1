import { KeyVaultError } from "./errors.js";
import type { ObjectCollection } from "./identifier.js";

/** Collection, name, and what lies below it; undefined segments are left out. */
export type ObjectPath = readonly [collection: ObjectCollection, ...rest: (string | undefined)[]];

/**
 * Makes the text of a path. Whether a name is a good one is for the service to say, but none may climb out of its collection, and half a character cannot be written.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`
 */
export function formatPath([collection, ...rest]: ObjectPath): string {
  let path = `/${collection}`;
  for (const segment of rest) {
    // Nearly every one is letters, digits and hyphens, and has no other form in a path.
    if (segment !== undefined) path += `/${/^[0-9a-zA-Z-]+$/.test(segment) ? segment : encodeSegment(segment)}`;
  }
  return path;
}

function encodeSegment(segment: string): string {
  if (/^\.{1,2}$/.test(segment) || /[\\/]|\p{Cs}/u.test(segment)) {
    throw new KeyVaultError("KV_INVALID_INPUT", `${JSON.stringify(segment.slice(0, 200))} is not a name`, {
      hint: "names are 1 to 127 letters, digits and hyphens.",
    });
  }
  return encodeURIComponent(segment);
}
