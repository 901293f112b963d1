import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient, secretClient } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { key, secret } from "./providers.js";

/** A default as an adopting program spells it, and what somebody sets in its place. */
const ofBoth: [property: string, declared: Arguments, outside: Arguments][] = [
  ["enabled", { enabled: true }, { attributes: { enabled: false } }],
  ["tags", { tags: {} }, { tags: { by: "hand" } }],
];
const ofKeys: typeof ofBoth = [["keyOps", { keyOps: ["verify", "sign"] }, { key_ops: ["sign"] }]];

describe.each([
  ["key", key, "keys", [...ofBoth, ...ofKeys]],
  ["secret", secret, "secrets", ofBoth],
] as const)("a default that a program spells, of an adopted %s,", (noun, provider, collection, rows) => {
  let vault: Emulator;
  let resource: DrivenResource;
  let told: string[];
  let version: string;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders", adopt: true });
    told = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
    const { properties } =
      noun === "key"
        ? await keyClient(vault).createEcKey("orders")
        : await secretClient(vault).setSecret("orders", "a value");
    version = properties.version ?? "";
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });
  const patch = (body: unknown) => call(vault, "PATCH", `/${collection}/orders/${version}`, body);
  const writes = (): string[] => resource.operations().filter((operation) => !operation.startsWith("get"));
  const oneWrite = [noun === "key" ? "updateKey" : "updateSecret"];
  const isConverged = async (state: State) => {
    expect(await resource.drift(state)).toEqual({});
    expect(told.filter((line) => line.includes("not managed"))).toEqual([]);
  };

  describe.each(rows)("%s", (property, declared, outside) => {
    it("is managed: nothing is written for it where the vault has it, and it is taken back where somebody changes it", async () => {
      vault.requests.clear();
      await resource.created({});
      const marking = writes();
      vault.requests.clear();
      const state = await resource.created(declared);
      expect(writes()).toEqual(marking);
      await isConverged(state);
      await patch(outside);
      expect(Object.keys(await resource.drift(state))).toEqual([property]);
      await resource.refreshed(await resource.refreshed(state));
      const repaired = await resource.updated(await resource.refreshed(state), declared);
      expect(writes()).toEqual(oneWrite);
      await isConverged(repaired);
    });

    it("is what the adopted one gets", async () => {
      await patch(outside);
      vault.requests.clear();
      const state = await resource.created(declared);
      expect(writes()).toEqual(oneWrite);
      await isConverged(state);
    });

    it("is what it gets where the program comes to spell it", async () => {
      await patch(outside);
      const state = await resource.created({});
      const spelled = await resource.updated(state, declared);
      expect(Object.keys(spelled.inputs)).toContain(property);
      expect(writes()).toEqual(oneWrite);
      await isConverged(spelled);
    });

    it("asks nothing of the vault where the program comes to spell what is there", async () => {
      const spelled = await resource.updated(await resource.created({}), declared);
      expect(resource.operations()).toEqual([]);
      await isConverged(spelled);
    });

    it("is the vault's again where the program leaves it out", async () => {
      const left = await resource.updated(await resource.created(declared), {});
      expect(resource.operations()).toEqual([]);
      await isConverged(left);
      await patch(outside);
      const seen = await resource.refreshed(left);
      expect(seen.inputs).toEqual(left.inputs);
      expect(told.join("")).toContain(`${property} changed in the vault`);
    });
  });

  it("is drift with the value that was found, also after a refresh has recorded it", async () => {
    const state = await resource.created({ enabled: false });
    await patch({ attributes: { enabled: true } });
    expect(await resource.drift(state)).toEqual({ enabled: true });
    const seen = await resource.refreshed(state);
    await patch({ attributes: { enabled: false } });
    expect(await resource.drift(seen)).toEqual({ enabled: false });
    expect(told.filter((line) => line.includes("not managed"))).toEqual([]);
  });
});

describe("a default that a program spells, of a key that it makes,", () => {
  let vault: Emulator;
  let resource: DrivenResource;
  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "orders", import: { jwk: ecKey().jwk } });
  });
  afterEach(() => vault.close());
  const spelled = { keyOps: ["verify", "sign"], enabled: true, tags: {} };

  it("is known again in a version whose answer was lost", async () => {
    vault.faults.add({ kind: "dropAfter", operation: "importKey", times: 1 });
    const state = await resource.created(spelled);
    expect(resource.operations().filter((operation) => operation === "importKey")).toHaveLength(1);
    expect(await resource.drift(state)).toEqual({});
  });

  it("is known again in a change whose answer was lost", async () => {
    const state = await resource.created({ keyOps: ["sign"] });
    vault.faults.add({ kind: "dropAfter", operation: "updateKey", times: 1 });
    const updated = await resource.updated(state, spelled);
    expect(resource.operations().filter((operation) => operation === "updateKey")).toHaveLength(1);
    expect(await resource.drift(updated)).toEqual({});
  });

  it("takes no more in a create that finds what the run before has made than one that is left out", async () => {
    const asked = async (name: string, args: Arguments) => {
      await resource.created({ ...args, name });
      vault.requests.clear();
      await resource.created({ ...args, name });
      return resource.operations();
    };
    expect(await asked("spelled", spelled)).toEqual(await asked("left-out", {}));
  });
});
