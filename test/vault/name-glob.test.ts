import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGlob } from "../../provider/vault/name-glob.js";

const matching = (glob: string, names: readonly string[]): string[] =>
  names.filter((name) => parseGlob(glob)?.(name) ?? false);

describe("a glob over names", () => {
  const names = ["orders", "Orders-2", "orders-eu", "temp-1", "temp-12", "a", "b", "ab", "keys/orders", "secrets/a"];

  it.each([
    ["*", ["orders", "Orders-2", "orders-eu", "temp-1", "temp-12", "a", "b", "ab"]],
    ["ORDERS", ["orders"]],
    ["orders*", ["orders", "Orders-2", "orders-eu"]],
    ["orders-*", ["Orders-2", "orders-eu"]],
    ["temp-?", ["temp-1"]],
    ["temp-??", ["temp-12"]],
    ["[ab]", ["a", "b"]],
    ["[A-C]", ["a", "b"]],
    ["[!a]", ["b"]],
    ["[^a]", ["b"]],
    ["{a,b}", ["a", "b"]],
    ["{a,}b", ["b", "ab"]],
    ["{orders{,-eu},temp-[0-9]}", ["orders", "orders-eu", "temp-1"]],
    ["!*-*", ["orders", "a", "b", "ab", "keys/orders", "secrets/a"]],
    ["keys/*", ["keys/orders"]],
    ["**/a", ["secrets/a"]],
    ["**a", ["a", "secrets/a"]],
    ["k*", []],
  ])("%s", (glob, matched) => {
    expect(matching(glob, names)).toEqual(matched);
  });

  it.each([
    "",
    "!",
    "[",
    "[]",
    "[z-a]",
    "{a",
    "{a}",
    "a}",
    "a,b",
    "a b",
    "(a|b)",
    "a\\*",
    "ü",
    "a\n",
    "x".repeat(1_001),
  ])("is none: %j", (text) => expect(parseGlob(text)).toBeUndefined());

  it("matches as the regular expression of the same meaning does", () => {
    const part = fc.constantFrom("a", "b", "-", "*", "?", "[ab]", "[!a]", "{a,b-}", "{,*a}");
    const regular = (glob: string): RegExp =>
      new RegExp(
        `^${glob
          .replaceAll("[!", "[^")
          .replace(/\{([^}]*)\}/g, (_, inner: string) => `(?:${inner.replaceAll(",", "|")})`)
          .replaceAll("?:", "\u0000")
          .replaceAll("?", ".")
          .replaceAll("\u0000", "?:")
          .replace(/\*/g, ".*")}$`,
      );
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
        fc.stringMatching(/^[ab-]{0,8}$/),
        (glob, name) => {
          expect([glob, name, parseGlob(glob)?.(name)]).toEqual([glob, name, regular(glob).test(name)]);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("takes no longer for many stars and braces than its length allows", () => {
    const name = "a".repeat(127);
    for (const glob of ["*a".repeat(400), `${"{*a,*aa}".repeat(100)}b`, `${"{".repeat(300)}a${",*a}".repeat(300)}b`]) {
      const isMatch = parseGlob(glob);
      const start = process.threadCpuUsage();
      for (let round = 0; round < 5; round++) isMatch?.(name);
      const { user, system } = process.threadCpuUsage(start);
      expect((user + system) / 1000 / 5).toBeLessThan(100);
    }
  });
});
