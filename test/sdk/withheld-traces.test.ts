import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Key, Secret } from "../../sdk/index.js";

const limit = Error.stackTraceLimit;
beforeEach(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ inputs }) => ({ id: "id", state: inputs }),
    call: ({ inputs }) => inputs,
  });
});
afterEach(() => {
  expect(Error.stackTraceLimit).toBe(limit);
});

/** As the SDK makes a resource of the least that it takes. */
class Plain extends pulumi.CustomResource {}

/** How many stack traces with frames are written down meanwhile. */
function tracesDuring(make: () => void): number {
  const { prepareStackTrace } = Error;
  let count = 0;
  Error.prepareStackTrace = (_error, frames) => {
    if (frames.length > 0) count += 1;
    return "";
  };
  try {
    make();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
  return count;
}

it("a resource takes one stack trace, of where it stands in the program, and none for each of its outputs", () => {
  const vaultUrl = "https://v.vault.azure.net";
  expect(tracesDuring(() => new Secret("orders", { vaultUrl, value: "v" }))).toBeLessThan(10);
  expect(tracesDuring(() => new Plain("a:b:Plain", "plain", { value: "v" }))).toBeGreaterThanOrEqual(10);
});

it.each([
  ["a resource without a name", () => new Secret("", { vaultUrl: "https://v.vault.azure.net", value: "v" })],
  [
    "a parent that is none",
    () =>
      new Key(
        "orders",
        { vaultUrl: "https://v.vault.azure.net", generate: { keyType: "EC" } },
        // A slip of the pen in JavaScript.
        { parent: "orders" as unknown as pulumi.Resource },
      ),
  ],
])("%s is refused with a trace that leads to the program", (_what, make) => {
  let failure: unknown;
  try {
    make();
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(Error);
  expect((failure as Error).stack).toContain("withheld-traces.test");
});
