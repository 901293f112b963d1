import type { Shape } from "../shape.js";

/** Bytes in base64url, as every binary member of the wire is. */
export function base64url(maximumBytes: number): Shape<Buffer> {
  return {
    check: (value) =>
      typeof value === "string" &&
      value.length <= Math.ceil(maximumBytes / 3) * 4 &&
      /^[A-Za-z0-9_-]*={0,2}$/.test(value)
        ? { value: Buffer.from(value, "base64url") }
        : undefined,
  };
}
