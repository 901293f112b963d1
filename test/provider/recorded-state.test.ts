import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readState } from "../../provider/engine/recorded-state.js";

const schema = z.looseObject({
  name: z.string(),
  to: z.looseObject({ folder: z.string() }).exactOptional(),
  covered: z.record(z.string(), z.string()),
});
const told = { resource: 'the KeyBackup "orders"', remedy: "take it anew" };
const read = (props: Record<string, unknown>) => readState(schema, props, told);

describe("reading state", () => {
  it("keeps what it does not know, at every depth", () => {
    const props = { name: "orders", to: { folder: "x", later: 1 }, covered: {}, later: { a: [1] }, __provider: "text" };
    expect(read(props)).toEqual(props);
  });

  it.each([
    ["null", { name: null, covered: {} }, "name is null"],
    ["missing", { covered: {} }, "name is missing"],
    ["malformed", { name: "orders", covered: ["a"] }, "covered is malformed"],
    ["null inside", { name: "orders", covered: { a: null } }, "covered.a is null"],
    ["null where it may be left out", { name: "orders", covered: {}, to: null }, "to is null"],
  ])("tells a member that is %s by its name, with the resource and the remedy", (_what, props, problem) => {
    expect(() => read(props)).toThrow(
      expect.objectContaining({
        code: "KV_INVALID_INPUT",
        message: `the state of the KeyBackup "orders" cannot be read (${problem}): take it anew`,
      }),
    );
  });

  it("shows no value, and no name that may be a value in the wrong place", () => {
    const secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC/+=";
    expect(() => read({ name: { [secret]: secret }, covered: { [secret]: 5 } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("MIIE") }),
    );
  });

  it("tells a few of many problems", () => {
    const covered = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`k${index}`, null]));
    expect(() => read({ name: "orders", covered })).toThrow(
      /\(covered\.k0 is null, .*covered\.k4 is null and 4 more\)/,
    );
  });
});
