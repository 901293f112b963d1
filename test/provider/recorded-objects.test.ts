import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { readKeyInputs, readKeyOutputs } from "../../provider/key/recorded-key.js";
import { readSecretInputs, readSecretOutputs } from "../../provider/secret/recorded-secret.js";
import { ecKey } from "../engine/demo-keys.js";
import { owned } from "../engine/owned-tags.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

const kinds = [
  ["Key", key, { import: { jwk: ecKey().jwk } }, "keys", "updateKey"],
  ["Secret", secret, { value: "a value" }, "secrets", "updateSecret"],
] as const;

describe.each(kinds)("a %s in state", (type, provider, source, collection, patch) => {
  const get = `get${type}`;
  let vault: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const tags = async (): Promise<unknown> => {
    const { tags } = (await call(vault, "GET", `/${collection}/orders`)) as { tags?: unknown };
    return tags;
  };
  const createdBefore = async (args: Arguments = {}): Promise<State> => {
    const state = await resource.created({ ...source, ...args });
    nextEngineRun();
    vault.requests.clear();
    return state;
  };
  const set = (state: State, members: Arguments): State => ({ ...state, outs: { ...state.outs, ...members } });

  it("keeps what a later version has recorded, through a refresh and an update", async () => {
    const state = set(await createdBefore(), { later: { member: "1" } });
    expect((await resource.refreshed(state)).outs.later).toEqual({ member: "1" });
    expect((await resource.updated(state, { ...source, tags: { a: "1" } })).outs.later).toEqual({ member: "1" });
    expect((await resource.updated(state, { ...source, onDelete: "retain" })).outs.later).toEqual({ member: "1" });
  });

  describe("with members that became null", () => {
    const nulls = Object.fromEntries(
      ["tags", "onDelete", "timeouts", "expiresOn", "found", "recoveryLevel", "foreignVersion"].map((member) => [
        member,
        null,
      ]),
    );

    it("is read as one without them, refreshed without drift, and deleted", async () => {
      const state = set(await createdBefore(), nulls);
      expect(await resource.drift(state)).toEqual({});
      await resource.deleted(state);
      await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
    });

    it("is not deleted where the token is one of them: nothing says any more that the mark is this resource's", async () => {
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      await resource.deleted(set(await createdBefore(), { ownerToken: null }));
      expect(told.mock.calls.join()).toMatch(/is left alone: stack "shop\/prod" owns it by its tag/);
      expect(await tags()).toEqual(owned());
    });

    it("is changed and marked anew with the write that is due", async () => {
      const state = set(await createdBefore(), { ...nulls, ownerToken: null });
      const { outs } = await resource.updated(state, { ...source, tags: { team: "orders" } });
      expect(resource.operations()).toEqual([get, patch]);
      expect(await tags()).toEqual(owned({ team: "orders" }));
      expect(outs.ownerToken).toMatch(/^[\w-]{16}$/);
    });
  });

  describe("with a member that cannot be read", () => {
    it.each<[string, Arguments, string]>([
      ["null where it has to be there", { version: null }, "version is null"],
      ["of another type", { tags: "orders" }, "tags is malformed"],
      ["of another word", { onDelete: "shred" }, "onDelete is malformed"],
      ["of another type within", { tags: { team: 5 } }, "tags.team is malformed"],
    ])("%s tells resource, member and remedy, and no value, and touches nothing", async (_what, members, problem) => {
      const state = set(await createdBefore(), members);
      const told = new RegExp(
        `^KV_INVALID_INPUT: the state of the ${type} "orders" in .* cannot be read \\(${problem}\\): .*pulumi state delete.*adopt: true`,
      );
      await expect(resource.refreshed(state)).rejects.toThrow(told);
      await expect(resource.updated(state, source)).rejects.toThrow(told);
      expect(resource.operations()).toEqual([]);
    });

    it("is deleted all the same where that member does not matter", async () => {
      await resource.deleted(set(await createdBefore(), { tags: "orders", version: null, found: 1 }));
      await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
    });

    it("is not deleted where it does: what was to be kept could go", async () => {
      const state = set(await createdBefore({ onDelete: "retain" }), { onDelete: 5 });
      await expect(resource.deleted(state)).rejects.toThrow(/onDelete is malformed/);
      expect(resource.operations()).toEqual([]);
    });
  });

  describe("that 0.1 has written, without an owner", () => {
    /** A program of 0.1 tells no owner, and so nothing is marked and recorded. */
    const of01 = (args: Arguments = {}): Promise<State> =>
      createdBefore({ claimant: undefined, owner: undefined, ...args });

    it("is the object without a mark", async () => {
      const state = await of01({ tags: { team: "orders" } });
      expect(await tags()).toEqual({ team: "orders" });
      expect(state.outs).not.toHaveProperty("ownerToken");
    });

    it("is no difference for a program of today, in no preview, refresh or update", async () => {
      const state = await of01();
      expect(await resource.checked(source, state.inputs)).toEqual(state.inputs);
      expect(await resource.provider.diff(state.id, state.outs, state.inputs)).toMatchObject({ replaces: [] });
      expect(await resource.drift(state)).toEqual({});
      await resource.updated(state, { ...source, onDelete: "retain" });
      expect(resource.operations()).toEqual([]);
    });

    it.each<[string, Arguments]>([
      ["tags", { tags: { team: "orders" } }],
      ["other attributes", { enabled: false }],
    ])("is marked with the next write, of %s, after a look and in the same request", async (_what, change) => {
      const { outs } = await resource.updated(await of01(), { ...source, ...change });
      expect(resource.operations()).toEqual([get, patch]);
      expect(outs.ownerToken).toMatch(/^[\w-]{16}$/);
      await call(vault, "PATCH", `/${collection}/orders/${outs.version}`, { attributes: { enabled: true } });
      expect(await tags()).toEqual(owned(change.tags as Record<string, string> | undefined));
    });

    it("keeps its own tags with that mark", async () => {
      const kept = { tags: { team: "orders" } };
      await resource.updated(await of01(kept), { ...source, ...kept, expiresOn: "2037-01-01T00:00:00Z" });
      expect(await tags()).toEqual(owned(kept.tags));
    });

    it("is deleted as it was before", async () => {
      await resource.deleted(await of01());
      await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
    });
  });
});

describe("members of a later release", () => {
  const object = { vaultUrl: "https://v.vault.azure.net", name: "orders", later: { a: [1] } };
  const made = { version: "1a2b", found: { later: "x" }, timeouts: { later: "5m" } };

  it("stay in what is read of a Key", () => {
    expect(readKeyInputs({ ...object, generate: { keyType: "EC", later: true } })).toEqual({
      ...object,
      generate: { keyType: "EC", later: true },
    });
    const outs = { ...object, ...made, keyType: "EC", publicKey: { curve: "P-256", later: 1 } };
    expect(readKeyOutputs(outs)).toEqual(outs);
  });

  it("stay in what is read of a Secret", () => {
    expect(readSecretInputs(object)).toEqual(object);
    expect(readSecretOutputs({ ...object, ...made })).toEqual({ ...object, ...made });
  });
});
