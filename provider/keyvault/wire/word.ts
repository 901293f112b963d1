import { z } from "zod";

// What the service answers ends in programs, reports and file names, so nothing but the characters that such a member can have is let in.

/** A key type or a curve, such as `RSA-HSM` or `P-256K`. Open: later api-versions add some. */
export const identifierWord = z.string().regex(/^[A-Za-z0-9-]{1,32}$/);

/** A key operation, such as `wrapKey`. */
export const operationWord = z.string().regex(/^[A-Za-z0-9_]{1,32}$/);

/** A word or a few of the service's own, such as `Recoverable+Purgeable`. */
export const words = z.string().regex(/^[\w+. -]{0,64}$/);

/** An ISO 8601 duration, such as `P90D`; a Managed HSM writes an empty one for none. */
export const duration = z.string().regex(/^(P[0-9A-Za-z.,]{1,60})?$/);

/** A number in base64url or base64, with or without padding. RSA has the longest, and 16,384 bits are more than any. */
export const encodedNumber = z
  .string()
  .max(2742)
  .regex(/^[A-Za-z0-9_+/-]*={0,2}$/);

/** A URL or a path, whatever host it names. */
export const address = z.string().regex(/^[A-Za-z0-9:/?=&%.,_~@+[\]-]{0,2048}$/);

/** An array of at most so many items. Its length is looked at first, so that a long one costs nothing. */
export function atMost<T extends z.ZodType>(most: number, item: T) {
  return z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= most).pipe(z.array(item));
}
