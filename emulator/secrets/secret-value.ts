import type { Shape } from "../shape.js";

const mostBytes = 25_600;

/** Up to 25 KB of text; the empty string is a value. */
export function secretValue(): Shape<string> {
  return {
    check: (value) =>
      typeof value === "string" && value.length <= mostBytes && Buffer.byteLength(value) <= mostBytes
        ? { value }
        : undefined,
  };
}
