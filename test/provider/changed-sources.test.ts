import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { keyClient, secretClient } from "../engine/vault-by-hand.js";
import { DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

const material = ecKey();
const VALUE = "a value of no account";

let vault: Emulator;
let told: string;

beforeEach(async () => {
  vault = await startEmulator();
  told = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    told += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

const driven = (provider: typeof key): DrivenResource =>
  new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
const secretVersions = async (): Promise<{ enabled?: boolean | undefined }[]> => {
  const versions = [];
  for await (const { enabled, createdOn } of secretClient(vault).listPropertiesOfSecretVersions("orders")) {
    versions.push({ enabled, createdOn: createdOn?.getTime() ?? 0 });
  }
  return versions.sort((a, b) => a.createdOn - b.createdOn).map(({ enabled }) => ({ enabled }));
};

describe("a secret that onDelete disabled", () => {
  const args = { value: VALUE, onDelete: "disable" };
  const disabled = async (resource: DrivenResource): Promise<State> => {
    const state = await resource.created(args);
    await resource.deleted(state);
    nextEngineRun();
    vault.clock.advance(5_000);
    return state;
  };

  it("gets a version of the program's value where its resource is added again, and stays disabled itself", async () => {
    const resource = driven(secret);
    const { outs: former } = await disabled(resource);
    const { outs } = await resource.created(args);
    expect(outs.version).not.toBe(former.version);
    expect((await secretClient(vault).getSecret("orders")).value).toBe(VALUE);
    expect(await secretVersions()).toEqual([{ enabled: false }, { enabled: true }]);
  });

  it("gets no further one where that run is cut off", async () => {
    const resource = driven(secret);
    await disabled(resource);
    const { outs: lost } = await resource.created(args);
    nextEngineRun();
    const { outs } = await resource.created(args);
    expect(outs.version).toBe(lost.version);
    expect(await secretVersions()).toHaveLength(2);
  });

  it.each([
    ["another resource of the stack takes its name", { ...identity("other") }],
    ["its resource is to have it disabled", { enabled: false }],
  ])("is refused as disabled, with what helps, where %s", async (_where, more) => {
    const resource = driven(secret);
    await disabled(resource);
    await expect(resource.created({ ...args, ...more })).rejects.toThrow(
      /^KV_ALREADY_EXISTS: .*a disabled secret .* does not show whether it is what the program says.*enable it by hand/,
    );
    expect(await secretVersions()).toHaveLength(1);
  });
});

describe("what was adopted with tags, and is made by the program from then on,", () => {
  const adopted = async (resource: DrivenResource): Promise<State> => {
    const state = await resource.created({ adopt: true });
    nextEngineRun();
    told = "";
    return state;
  };

  it.each([
    ["a generated key", { generate: { keyType: "EC" } }],
    ["an imported key of the same material", { import: { jwk: material.jwk } }],
  ])(
    "has the program's tags at once as %s: none, which the preview tells, and no version more",
    async (_what, source) => {
      const { x = "", y = "", d = "" } = material.jwk as unknown as Record<string, string>;
      const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
      await keyClient(vault).importKey(
        "orders",
        { kty: "EC", crv: "P-256", x: bytes(x), y: bytes(y), d: bytes(d) },
        { tags: { team: "theirs" } },
      );
      const resource = driven(key);
      const state = await adopted(resource);
      await key.diff(state.id, state.outs, await resource.checked(source, state.inputs));
      expect(told).toMatch(/key "orders" in \S+ loses its tags: they were left to the vault/);
      const now = await resource.updated(state, source);
      expect(now.outs.version).toBe(state.outs.version);
      expect((await keyClient(vault).getKey("orders")).properties.tags).toEqual({
        "pulumi-keyvault": expect.stringMatching(/^shop\/prod /),
      });
      expect(await resource.drift(now)).toEqual({});
    },
  );

  it("has them as a secret of the same value", async () => {
    await secretClient(vault).setSecret("orders", VALUE, { tags: { team: "theirs" } });
    const resource = driven(secret);
    const state = await adopted(resource);
    const now = await resource.updated(state, { value: VALUE });
    expect(now.outs.version).toBe(state.outs.version);
    expect(await resource.drift(now)).toEqual({});
  });

  it.each([
    ["nobody's mark", {}],
    ["another stack's mark", { "pulumi-keyvault": "other/dev AAAAAAAAAAAAAAAA" }],
  ])(
    "gets no version more as a secret of the same value that could only be read until then, with %s",
    async (_what, mark) => {
      await secretClient(vault).setSecret("orders", VALUE, { tags: { team: "theirs", ...mark } });
      const resource = driven(secret);
      vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "updateSecret" });
      const state = await adopted(resource);
      vault.faults.clear();
      vault.requests.clear();
      const now = await resource.updated(state, { value: VALUE, tags: { team: "ours" } });
      expect(now.outs.version).toBe(state.outs.version);
      expect(resource.operations()).toEqual(["getSecret", "updateSecret"]);
      expect((await secretClient(vault).getSecret("orders")).properties.tags).toEqual({
        team: "ours",
        "pulumi-keyvault": expect.stringMatching(/^shop\/prod /),
      });
      expect(await resource.drift(now)).toEqual({});
    },
  );

  it("keeps those that the program declares, and is not enabled by the way", async () => {
    const tags = { team: "theirs" };
    await keyClient(vault).createEcKey("orders", { tags, enabled: false });
    const resource = driven(key);
    const state = await adopted(resource);
    const now = await resource.updated(state, { generate: { keyType: "EC" }, tags });
    expect((await keyClient(vault).getKey("orders")).properties).toMatchObject({ enabled: false, tags });
    expect(await resource.drift(now)).toEqual({ enabled: false });
  });
});
