import { describe, expect, it } from "vitest";
import { dynamicProvider, PartialFailure, type ResourceLifecycle } from "../../provider/engine/lifecycle.js";
import { LARGEST_PARTIAL_BYTES, wireSize } from "../../provider/engine/partial-size.js";
import { structMessages } from "../../provider/engine/sdk-protocol.js";

const never = async (): Promise<never> => {
  throw new Error("is not asked here");
};

function providerWith(blobs: string) {
  const failure = (inputs?: { keys: object }) => async (): Promise<never> => {
    throw new PartialFailure("id", { blobs }, new Error("one of them failed"), inputs);
  };
  const lifecycle: ResourceLifecycle = {
    check: never,
    diff: never,
    read: failure({ keys: {} }),
    update: never,
    delete: never,
    create: failure(),
  };
  return dynamicProvider(async () => lifecycle);
}

async function failureWith(blobs: string): Promise<Error> {
  return providerWith(blobs)
    .create({ __provider: "code" })
    .then(never, (error: Error) => error);
}

describe("an incomplete creation", () => {
  it("is recorded with the failure as far as the engine takes it", async () => {
    expect(await failureWith("b".repeat(LARGEST_PARTIAL_BYTES - 1000))).toMatchObject({ id: "id" });
  });

  it("is a failure alone where it is more, since a larger one would end every other operation", async () => {
    const error = await failureWith("b".repeat(LARGEST_PARTIAL_BYTES));
    expect(error).not.toHaveProperty("id");
    expect(error).not.toHaveProperty("properties");
    expect(error.message).toMatch(
      /^one of them failed\n.*too much to record beside a failure \(12\.0 MB, and 12 fit\)/,
    );
    expect(error.stack).toBe(error.message);
  });

  it("says of a read that nothing was done, since none was", async () => {
    const error = await providerWith("b".repeat(LARGEST_PARTIAL_BYTES))
      .read("id", { __provider: "code" })
      .then(never, (reason: Error) => reason);
    expect(error).not.toHaveProperty("metadata");
    expect(error.message).toMatch(/^one of them failed\nWhat was read .* state stays as it was\. Make several sets/);
  });

  it.each([
    ["a long text", { blob: "é".repeat(100_000) }],
    ["many short texts", { all: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, ""])) }],
    ["a list of numbers", { all: Array.from({ length: 5000 }, (_, i) => i) }],
    ["what is empty", { a: null, b: false, c: {}, d: [] }],
    ["depth", { a: [[[[{ b: [{ c: "d" }] }]]]] }],
  ])("is never larger on its way than it was taken for: %s", (_what, properties) => {
    const { length } = structMessages.Struct.fromJavaScript(properties).serializeBinary();
    expect(wireSize(properties)).toBeGreaterThanOrEqual(length);
    expect(wireSize(properties)).toBeLessThan(3 * length + 100);
  });
});
