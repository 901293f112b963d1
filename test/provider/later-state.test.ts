import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { packRecords, unpackRecords } from "../../provider/key-set/packed-records.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import {
  key,
  keyBackup,
  keyInventory,
  keySet,
  secret,
  secretBackup,
  secretInventory,
  vaultBackup,
} from "./providers.js";

const generate = { keyType: "EC" };
const LATER = { from: "a later version", at: [1, null, { deep: true }] };

/** An inventory is nobody's object, and its SDK tells no owner. */
const unowned = (provider: DynamicProvider): DynamicProvider => ({
  ...provider,
  check: (olds, { claimant: _claimant, owner: _owner, ...news }) => provider.check(olds, news),
});

const RESOURCES = {
  Key: [key, { name: "orders", generate }, { tags: { a: "1" } }],
  Secret: [secret, { name: "orders", value: "a" }, { tags: { a: "1" } }],
  KeySet: [keySet, { entries: { orders: { generate } } }, { tags: { a: "1" } }],
  KeyBackup: [keyBackup, { name: "theirs" }, { version: "of another update" }],
  SecretBackup: [secretBackup, { name: "theirs" }, { version: "of another update" }],
  VaultBackup: [vaultBackup, { keys: ["*"] }, { keys: ["*", "!none"] }],
  KeyInventory: [unowned(keyInventory), {}, { expect: ["theirs"] }],
  SecretInventory: [unowned(secretInventory), {}, { expect: ["theirs"] }],
} as const;

describe.each(Object.entries(RESOURCES))(
  "state of a %s that a later version has written",
  (type, [provider, args, more]) => {
    let vault: Emulator;
    let resource: DrivenResource;
    let state: State;

    beforeEach(async () => {
      vault = await startEmulator();
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      await call(vault, "POST", "/keys/theirs/create", { kty: "EC" });
      await call(vault, "PUT", "/secrets/theirs", { value: "a" });
      resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, ...args }, type);
      const created = await resource.created({});
      state = { ...created, outs: { ...created.outs, laterFact: LATER } };
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await vault.close();
    });

    it("stays through a refresh", async () => {
      expect((await resource.refreshed(state)).outs).toMatchObject({ laterFact: LATER });
      expect(await resource.drift(state)).toEqual({});
    });

    it("stays through an update", async () => {
      expect((await resource.updated(state, { ...(more as Arguments) })).outs).toMatchObject({ laterFact: LATER });
    });

    it("goes with the resource alone", async () => {
      await resource.deleted(state);
    });
  },
);

describe("records of a KeySet that a later version has written", () => {
  let vault: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    resource = new DrivenResource(keySet, vault, { vaultUrl: vault.url, entries: { orders: { generate } } }, "KeySet");
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  it("keep what they have of each key", async () => {
    const created = await resource.created({});
    const records = unpackRecords(created.outs.records);
    const { entry = {}, facts = {} } = records.get("orders") ?? {};
    const later = packRecords(new Map([["orders", { entry, facts: { ...facts, laterFact: LATER } }]]));
    const state = { ...created, outs: { ...created.outs, records: later } };
    for (const { outs } of [await resource.refreshed(state), await resource.updated(state, { tags: { a: "1" } })]) {
      expect(unpackRecords(outs.records).get("orders")?.facts).toMatchObject({ laterFact: LATER });
    }
  });

  it("are refused in a form that there is not yet, and nothing is asked of the vault", async () => {
    const created = await resource.created({});
    const outs: Arguments = { ...created.outs, records: "keys2:AAAA" };
    vault.requests.clear();
    await expect(resource.refreshed({ ...created, outs })).rejects.toThrow(/^KV_INVALID_INPUT: the record of a KeySet/);
    await expect(resource.updated({ ...created, outs }, { tags: { a: "1" } })).rejects.toThrow(/^KV_INVALID_INPUT: /);
    await expect(resource.deleted({ ...created, outs })).rejects.toThrow(/^KV_INVALID_INPUT: /);
    expect(resource.operations()).toEqual([]);
  });
});
