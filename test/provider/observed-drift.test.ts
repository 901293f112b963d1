import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import {
  expectedDigest,
  expectedValue,
  formatSetOutside,
  formatSwappedDigest,
  isSetOutside,
  observedValue,
  parseSwappedDigest,
} from "../../provider/object/observed-drift.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient, secretClient } from "../engine/vault-by-hand.js";
import { DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

const OUTSIDE = new Date("2037-01-01T00:00:00Z");

describe("what a refresh notes in the inputs", () => {
  const digests = { found: "w7Jg", expected: "scrypt:7vQ_-" };

  it("is read back as it was written", () => {
    expect(parseSwappedDigest(formatSwappedDigest(digests))).toEqual(digests);
    expect(expectedDigest(formatSwappedDigest(digests))).toBe(digests.expected);
    expect(observedValue("thumbprint", formatSwappedDigest(digests))).toBe(digests.found);
    expect(isSetOutside(formatSetOutside("2037-01-01T00:00:00Z"))).toBe(true);
    expect(observedValue("expiresOn", formatSetOutside("2037-01-01T00:00:00Z"))).toBe("2037-01-01T00:00:00Z");
    expect(expectedValue("valueDigest", formatSwappedDigest(digests))).toBe(digests.expected);
    expect(expectedValue("notBefore", formatSetOutside("2037-01-01T00:00:00Z"))).toBeUndefined();
  });

  it.each([undefined, null, 5, "", "w7Jg", "w7Jg instead of ", "a instead of b instead of c"])(
    "is none in %j",
    (value) => {
      expect(parseSwappedDigest(value)).toBeUndefined();
      expect(isSetOutside(value)).toBe(false);
      expect(observedValue("thumbprint", value)).toBe(value);
      expect(expectedValue("thumbprint", value)).toBe(value);
    },
  );
});

describe("drift that a plain refresh has recorded", () => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });
  const resourceOf = (provider: typeof key) =>
    new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
  /** As `pulumi refresh` does: what is found becomes the state. */
  const refreshed = async (resource: DrivenResource, state: State, times: number): Promise<State> => {
    let now = state;
    for (let time = 0; time < times; time += 1) now = await resource.refreshed(now);
    nextEngineRun();
    vault.requests.clear();
    return now;
  };

  describe.each([1, 2, 3])("%s times", (times) => {
    it("of a swapped key is told to a program without the material, whose exports stay its own key's", async () => {
      const resource = resourceOf(key);
      const state = await resource.created({ import: { jwk: ecKey().jwk } });
      await keyClient(vault).createEcKey("orders");
      const after = await refreshed(resource, state, times);
      const program = await resource.checked({ import: { env: "NOT_AT_HAND" } }, after.inputs);
      expect(program).toEqual(state.inputs);
      expect(after.inputs.thumbprint).toMatch(new RegExp(`^[\\w-]{43} instead of ${state.inputs.thumbprint}$`));
      expect(after.outs.publicKey).toEqual(state.outs.publicKey);
    });

    it("of a swapped key ends with an up that has the material", async () => {
      const resource = resourceOf(key);
      const args = { import: { jwk: ecKey().jwk } };
      const state = await resource.created(args);
      await keyClient(vault).createEcKey("orders");
      const repaired = await resource.updated(await refreshed(resource, state, times), args);
      expect(resource.operations()).toEqual(["getKey", "importKey"]);
      expect(await resource.drift({ ...repaired, inputs: state.inputs })).toEqual({});
    });

    it("of a swapped secret is told to a program without the value", async () => {
      const resource = resourceOf(secret);
      const state = await resource.created({ value: "a value" });
      await secretClient(vault).setSecret("orders", "another value");
      const after = await refreshed(resource, state, times);
      expect(await resource.checked({}, after.inputs)).toEqual(state.inputs);
      expect(after.inputs.valueDigest).toMatch(/ instead of scrypt:/);
      expect(JSON.stringify(after)).not.toContain("another value");
    });

    it.each(["expiresOn", "notBefore"] as const)(
      "of an %s set outside on a generated key fails no check, and only the update of that key",
      async (attribute) => {
        const resource = resourceOf(key);
        const args = { generate: { keyType: "EC" } };
        const state = await resource.created(args);
        await keyClient(vault).updateKeyProperties("orders", { [attribute]: OUTSIDE });
        const after = await refreshed(resource, state, times);
        expect(after.inputs[attribute]).toBe("2037-01-01T00:00:00Z (set outside)");
        const program = await resource.checked(args, after.inputs);
        expect(program).toEqual(state.inputs);
        await expect(resource.provider.update(after.id, after.outs, program)).rejects.toThrow(
          new RegExp(`^KV_INVALID_INPUT: ${attribute} of key "orders" .* cannot be removed`),
        );
        expect(resource.operations()).toEqual([]);
      },
    );

    it("of an expiry set outside is taken out with a version of the same material, where that is at hand", async () => {
      const resource = resourceOf(key);
      const args = { import: { jwk: ecKey().jwk } };
      const state = await resource.created(args);
      await keyClient(vault).updateKeyProperties("orders", { expiresOn: OUTSIDE });
      const repaired = await resource.updated(await refreshed(resource, state, times), args);
      expect(resource.operations()).toEqual(["getKey", "importKey"]);
      expect(await resource.drift(repaired)).toEqual({});
    });
  });

  it("is no excuse for the program: an expiry that it takes out itself is refused", async () => {
    const resource = resourceOf(key);
    const args = { generate: { keyType: "EC" } };
    const state = await refreshed(resource, await resource.created({ ...args, expiresOn: OUTSIDE.toISOString() }), 2);
    expect(await resource.refused(args, state.inputs)).toMatch(/expiresOn cannot be removed from a key/);
  });
});

describe.each([
  ["key", key, "keys"],
  ["secret", secret, "secrets"],
] as const)("what the program leaves to the vault, of an adopted %s,", (noun, provider, collection) => {
  let vault: Emulator;
  let resource: DrivenResource;
  let told: string[];
  let version: string;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    told = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text).trimEnd()) > 0);
    const made =
      noun === "key"
        ? await keyClient(vault).createEcKey("orders")
        : await secretClient(vault).setSecret("orders", "a value");
    version = made.properties.version ?? "";
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });
  const patch = (body: unknown) => call(vault, "PATCH", `/${collection}/orders/${version}`, body);

  it("is no drift where somebody changes it, is recorded, and is told once in a line without a value", async () => {
    const state = await resource.created({ adopt: true });
    await patch({ attributes: { enabled: false }, tags: { by: "a private name" } });
    const after = await resource.refreshed(state);
    expect(after.inputs).toEqual(state.inputs);
    expect(after.outs.found).toEqual({ enabled: false, tags: { by: "a private name" } });
    const lines = told.filter((line) => line.includes("changed, not managed"));
    expect(lines.map((line) => /: (\w+) changed/.exec(line)?.[1])).toEqual(["enabled", "tags"]);
    expect(lines.join()).not.toContain("a private name");
    told.length = 0;
    await resource.refreshed(after);
    expect(told.filter((line) => line.includes("changed, not managed"))).toEqual([]);
  });

  it("is never written: a key that was disabled in an incident stays disabled", async () => {
    const state = await resource.created({ adopt: true, tags: { team: "orders" } });
    await patch({ attributes: { enabled: false } });
    await resource.updated(await resource.refreshed(state), { adopt: true, tags: { team: "billing" } });
    expect(resource.operations()).toEqual([noun === "key" ? "updateKey" : "updateSecret"]);
    const { outs } = await resource.refreshed(state);
    expect(outs.found).toMatchObject({ enabled: false });
  });

  it("is drift where the program declares it", async () => {
    const state = await resource.created({ adopt: true, tags: { team: "orders" } });
    await patch({ tags: { team: "somebody" } });
    expect(await resource.drift(state)).toEqual({ tags: { team: "somebody" } });
  });
});
