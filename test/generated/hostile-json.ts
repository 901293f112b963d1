import fc from "fast-check";
import { hostileText } from "../cli/hostile-text.js";

const nested = (depth: number, isList: boolean): unknown => {
  let value: unknown = "end";
  for (let level = 0; level < depth; level++) value = isList ? [value] : { inner: value };
  return value;
};

/** Values that no schema thinks of: huge, deep, long, of another prototype, half a character. */
const CORNERS: readonly unknown[] = [
  null,
  true,
  -0,
  1e308,
  -1e308,
  0.1,
  Number.MAX_SAFE_INTEGER + 2,
  253_402_300_800,
  "",
  "\ud800",
  "\udc00\ud800",
  "x".repeat(30_000),
  "*".repeat(500),
  "\\".repeat(10_000),
  "2027-02-31T00:00:00Z",
  "9999-12-31T23:59:59-14:00",
  "+275760-09-13T00:00:00.001Z",
  "P99999999999999999999Y",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  nested(100, true),
  nested(100, false),
  nested(1_000, true),
  nested(1_000, false),
  Array(500).fill("sign"),
  Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`t${index}`, "v"])),
  JSON.parse('{"__proto__": {"a": 1}, "constructor": {"prototype": 2}, "toString": 3, "valueOf": null}'),
  { toString: null, valueOf: 1 },
];

export const corner: fc.Arbitrary<unknown> = fc.constantFrom(...CORNERS);

export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 3, arbitrary: corner },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(hostileText, hostileText, { maxKeys: 4 }) },
);

/** Mostly what fits, so that the rest of an input is reached. */
export function mostly<T>(...likely: T[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom<unknown>(...likely) }, { weight: 1, arbitrary: hostileJson });
}

export function mostlyOf(likely: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 10, arbitrary: likely }, { weight: 1, arbitrary: hostileJson });
}
