import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { importInputs } from "../../sdk/key.js";

const settled = async (inputs: unknown): Promise<unknown> =>
  (pulumi.output(inputs) as unknown as { promise(): Promise<unknown> }).promise();

it("an Output without a value is no key to wrap with, and does not vanish on its way", async () => {
  const missing = pulumi.output(undefined) as pulumi.Output<unknown> as pulumi.Output<string>;
  expect(await settled(importInputs({ file: "signing.pem", wrapWith: missing }))).toEqual({
    file: "signing.pem",
    wrapWith: "",
  });
});

it("a key to wrap with that the program leaves out stays left out", async () => {
  expect(await settled(importInputs({ file: "signing.pem", wrapWith: undefined }))).toEqual({ file: "signing.pem" });
  expect(await settled(importInputs({ file: "signing.pem", wrapWith: pulumi.output("id") }))).toEqual({
    file: "signing.pem",
    wrapWith: "id",
  });
});
