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
  const segments = rest.filter((segment) => segment !== undefined);
  const climbing = segments.find((segment) => /^\.{1,2}$/.test(segment) || /[\\/]|\p{Cs}/u.test(segment));
  if (climbing !== undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `${JSON.stringify(climbing.slice(0, 200))} is not a name`, {
      hint: "names are 1 to 127 letters, digits and hyphens.",
    });
  }
  return ["", collection, ...segments.map(encodeURIComponent)].join("/");
}
