import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { identityInputs } from "../../sdk/identity-inputs.js";

const type = "pulumi-nodejs:dynamic/keyvault:Key";

describe("the identity of a resource", () => {
  beforeAll(() => {
    const mocks = { newResource: ({ name }: { name: string }) => ({ id: name, state: {} }), call: () => ({}) };
    pulumi.runtime.setMocks(mocks, "orders", "dev");
  });

  class Component extends pulumi.ComponentResource {
    constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
      super("acme:index:Component", name, {}, opts);
    }
  }

  it("has the URN that the engine makes, below any parent", async () => {
    const outer = new Component("outer");
    const inner = new Component("inner", { parent: outer });
    for (const parent of [undefined, outer, inner]) {
      const expected = await new Promise((done) => void pulumi.createUrn("k", type, parent).apply(done));
      expect((await identityInputs(type, "k", parent).owner).urn).toBe(expected);
    }
    expect((await identityInputs(type, "k", inner).owner).urn).toBe(
      `urn:pulumi:dev::orders::acme:index:Component$acme:index:Component$${type}::k`,
    );
  });

  it("tells project and stack, and a token of each instance", async () => {
    const [one, two] = [identityInputs(type, "k", undefined), identityInputs(type, "k", undefined)];
    expect(await one.owner).toMatchObject({ project: "orders", stack: "dev" });
    expect(one.claimant).not.toBe(two.claimant);
    expect(await one.autoName).toBe(await two.autoName);
  });

  it("depends on nothing: its inputs are plain promises", () => {
    const identity = identityInputs(type, "k", new Component("parent"));
    for (const input of Object.values(identity)) expect(pulumi.Output.isInstance(input)).toBe(false);
  });
});
