import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { type OtherServer, startServerWith } from "./other-server.js";
import { key, keyBackup, keyInventory, keySet, secret, secretBackup, vaultBackup } from "./providers.js";
import { ALL_HABITS, HABITS } from "./server-habits.js";
import { stored } from "./stored.js";

vi.mock(import("../../provider/keyvault/clock.js"), async (original) => {
  const { passingPauses } = await import("./passing-pauses.js");
  return passingPauses(await original());
});

interface Subject {
  provider: DynamicProvider;
  backup: DynamicProvider;
  collection: "keys" | "secrets";
  args: Arguments;
  /** Another source, of which it takes a second version. */
  other: Arguments;
}

const ofKeys = { provider: key, backup: keyBackup, collection: "keys" } as const;
const imported = (pair: { pkcs8: string }): Arguments => ({ import: { pem: pair.pkcs8 } });

const SUBJECTS: Record<string, Subject> = {
  "an imported RSA key": { ...ofKeys, args: imported(rsaKey()), other: imported(rsaKey()) },
  "an imported P-256 key that states its operations": {
    ...ofKeys,
    args: { ...imported(ecKey()), keyOps: ["sign", "verify"] },
    other: imported(ecKey()),
  },
  "an imported P-521 key": { ...ofKeys, args: imported(ecKey("secp521r1")), other: imported(ecKey("secp521r1")) },
  "an imported P-256K key": {
    ...ofKeys,
    args: { ...imported(ecKey("secp256k1")), keyOps: ["sign"] },
    other: imported(ecKey("secp256k1")),
  },
  "a generated key with a rotation policy": {
    ...ofKeys,
    args: {
      generate: { keyType: "EC" },
      rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" },
      // A policy that cannot be read is asked for that long.
      timeouts: { read: "1s" },
    },
    other: { generate: { keyType: "EC", keepers: { year: "2027" } } },
  },
  "a secret": {
    provider: secret,
    backup: secretBackup,
    collection: "secrets",
    args: { value: "a value", contentType: "text/plain" },
    other: { value: "another value" },
  },
};

describe.each([
  ...Object.entries(HABITS).map(([title, habit]) => [title, [habit]] as const),
  ["has all such habits at once", ALL_HABITS] as const,
])("on a server that %s,", (_title, habits) => {
  let vault: Emulator;
  let server: OtherServer;

  beforeEach(async () => {
    vault = await startEmulator();
    server = await startServerWith(vault, habits);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    server.close();
    await vault.close();
  });

  describe.each(Object.entries(SUBJECTS))("%s", (_subject, { provider, backup, collection, args, other }) => {
    let resource: DrivenResource;
    const tagged = (team: string): Arguments => ({ ...args, tags: { team } });

    beforeEach(() => {
      resource = new DrivenResource(provider, vault, { vaultUrl: server.url, name: "orders" });
    });
    const writes = (): string[] => resource.operations().filter((operation) => !operation.startsWith("get"));
    const isClean = async (state: State) => {
      expect(await resource.drift(state)).toEqual({});
      const { id, outs } = await resource.refreshed(state);
      expect({ id, version: outs.version }).toEqual({ id: state.id, version: state.outs.version });
    };
    const by = (body: unknown, { outs }: State) => call(vault, "PATCH", `/${collection}/orders/${outs.version}`, body);

    it("is made, changed and given a second version without drift, and known again by a run that was interrupted", async () => {
      const state = await resource.created(tagged("a"));
      await isClean(state);
      const changed = await resource.updated(state, tagged("b"));
      expect(changed.outs.version).toBe(state.outs.version);
      await isClean(changed);
      const second = await resource.updated(changed, { ...tagged("b"), ...other });
      expect(second.outs.version).not.toBe(state.outs.version);
      await isClean(second);
      nextEngineRun();
      vault.requests.clear();
      const again = await resource.created({ ...tagged("b"), ...other });
      expect(again.outs.version).toBe(second.outs.version);
      // What is taken without state is marked anew, and nothing else is written.
      const mark = collection === "keys" ? "updateKey" : "updateSecret";
      expect(writes().filter((operation) => operation !== "updateKeyRotationPolicy")).toEqual([mark]);
    });

    it("is told where somebody changes it, and taken back", async () => {
      const state = await resource.created(tagged("a"));
      await by({ tags: { team: "somebody" } }, state);
      expect(await resource.drift(state)).toEqual({ tags: { team: "somebody" } });
      await isClean(await resource.updated(await resource.refreshed(state), tagged("a")));
    });

    it("is disabled and enabled, by the program and outside of it", async () => {
      const state = await resource.created(args);
      const disabled = await resource.updated(state, { ...args, enabled: false });
      await isClean(disabled);
      const enabled = await resource.updated(disabled, args);
      await isClean(enabled);
      await by({ attributes: { enabled: false } }, state);
      expect(await resource.drift(enabled)).toEqual({ enabled: false });
      await isClean(await resource.updated(await resource.refreshed(enabled), args));
    });

    it("comes back from a deletion with the version that it had", async () => {
      const state = await resource.created(args);
      await resource.deleted(state);
      expect((await resource.refreshed(state)).id).toBe("");
      nextEngineRun();
      const before = vault.clock.now();
      const again = await resource.created(args);
      expect(again.outs.version).toBe(state.outs.version);
      expect(vault.clock.now() - before).toBeLessThan(60_000);
      await isClean(again);
    });

    it("comes back from its backup, and is refused over one that is there", async () => {
      const state = await resource.created(args);
      const kept = new DrivenResource(backup, vault, { vaultUrl: server.url, name: "orders", __provider: "text" });
      const taken = await kept.created({ version: state.outs.version });
      expect(await kept.drift(taken)).toEqual({});
      const restoreFrom = { blob: taken.outs.blob, sourceName: "orders", version: state.outs.version };
      await resource.deleted({ ...state, outs: { ...state.outs, onDelete: "purge" } });
      nextEngineRun();
      await call(vault, "POST", `/${collection}/restore`, { value: taken.outs.blob });
      nextEngineRun();
      // The mark of the one that was backed up came back with it: it is this stack's.
      const found = await resource.created({ restoreFrom });
      expect(found.outs.version).toBe(state.outs.version);
      await resource.deleted({ ...found, outs: { ...found.outs, onDelete: "purge" } });
      nextEngineRun();
      const restored = await resource.created({ restoreFrom });
      expect(restored.outs.version).toBe(state.outs.version);
      await isClean(restored);
    });

    it("is adopted as it is, and refused where it is not", async () => {
      const made = await resource.created(args);
      await by({ tags: { "pulumi-keyvault": "shop/dev AAAAAAAAAAAAAAAA" } }, made);
      nextEngineRun();
      await expect(resource.created(args)).rejects.toThrow(/^KV_ALREADY_EXISTS: .*stack "shop\/dev" owns it/);
      vault.requests.clear();
      const adopted = await resource.created({ adopt: true, tags: { team: "a" } });
      expect(adopted.outs.version).toBe(made.outs.version);
      await isClean(adopted);
    });
  });

  it("a set of keys is made, changed, told of, disabled, deleted and made again, each key in one version", async () => {
    const material = ecKey();
    const keys = {
      imported: { import: { pem: material.pkcs8 } },
      made: { generate: { keyType: "EC" } },
      off: { generate: { keyType: "RSA" }, enabled: false },
    };
    const set = new DrivenResource(keySet, vault, { vaultUrl: server.url, onDelete: "delete" });
    const versionsOf = ({ outs }: State) =>
      Object.fromEntries([...unpackRecords(outs.records)].map(([name, { facts }]) => [name, facts.version]));
    const isClean = async (state: State) => expect(await set.drift(state)).toEqual({});
    const made = await set.created({ entries: keys });
    const versions = versionsOf(made);
    await isClean(made);
    const tagged = await set.updated(made, { entries: keys, tags: { team: "a" } });
    await isClean(tagged);
    await call(vault, "PATCH", `/keys/imported/${versions.imported}`, { attributes: { enabled: false } });
    expect(await set.drift(tagged)).toHaveProperty("keys");
    const enabled = await set.updated(await set.refreshed(tagged), { entries: keys, tags: { team: "a" } });
    await isClean(enabled);
    const { off, ...others } = keys;
    const on = await set.updated(enabled, { entries: { ...others, off: { generate: off.generate } } });
    await isClean(on);
    expect(versionsOf(on)).toEqual(versions);
    await set.deleted(on);
    expect(await set.drift(on)).toHaveProperty("keys");
    nextEngineRun();
    const again = await set.created({ entries: keys });
    await isClean(again);
    expect(versionsOf(again)).toEqual(versions);
  });

  it("a whole vault is backed up and counted, what is disabled and deleted too", async () => {
    const jwk = ecKey().jwk;
    const shared = { vaultUrl: server.url };
    const keys = new DrivenResource(key, vault, { ...shared, import: { jwk } });
    for (const name of ["a", "b", "c", "d"]) await keys.created({ name });
    await keys.created({ name: "e", enabled: false });
    const gone = await keys.created({ name: "f" });
    await new DrivenResource(secret, vault, shared).created({ name: "s", value: "x", enabled: true });
    await keys.deleted(gone);

    const made = async (provider: DynamicProvider, args: Arguments) => {
      const checked = await provider.check({}, { ...shared, ...args, __provider: "text" });
      expect(checked.failures).toEqual([]);
      const inputs = stored(checked.inputs);
      const created = await provider.create(inputs);
      const outs = stored(created.outs);
      const observed = async () => stored((await provider.read(created.id, outs)).inputs ?? {});
      expect(await observed()).toEqual(inputs);
      return { inputs, outs, observed };
    };
    const { outs } = await made(vaultBackup, { keys: "*", secrets: "*" });
    expect(Object.keys((outs.covered as { keys: object }).keys).sort()).toEqual(["a", "b", "c", "d", "e"]);
    const counted = await made(keyInventory, { expect: ["a", "b", "c"] });
    expect(counted.outs).toMatchObject({ count: 5, counts: { unmanaged: 2, missing: 0, softDeleted: 1 } });
    await call(vault, "DELETE", "/keys/a");
    expect(await counted.observed()).not.toEqual(counted.inputs);
  });
});

describe("a backup is refused under another name with words that help,", () => {
  let vault: Emulator;
  let server: OtherServer;
  let folder: string;
  let blob: string;
  let resource: DrivenResource;

  const start = async (title: string) => {
    const habit = HABITS[title];
    if (habit === undefined) throw new Error("there is no such habit");
    vault = await startEmulator();
    folder = mkdtempSync(join(tmpdir(), "restore-"));
    server = await startServerWith(vault, [habit]);
    resource = new DrivenResource(key, vault, { vaultUrl: server.url, name: "orders" });
    await resource.created({ generate: { keyType: "EC" } });
    ({ value: blob } = (await call(vault, "POST", "/keys/orders/backup")) as { value: string });
    nextEngineRun();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vault.requests.clear();
  };
  const restores = (): number => resource.operations().filter((operation) => operation === "restoreKey").length;
  afterEach(async () => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
    server.close();
    await vault.close();
  });

  it("on a server that says 400 to what it has", async () => {
    await start("says 400 where a backup is of what it has");
    await expect(resource.created({ name: "copy", restoreFrom: { blob } })).rejects.toThrow(
      /^KV_INVALID_INPUT: restore key "copy" in \S+ was refused: the vault already holds the key that the backup is of, under another name: a restored key keeps its name/,
    );
  });

  it.each(["active", "soft-deleted"])("at once where its file tells the name of what is %s", async (standing) => {
    await start("says 409 and no more over a soft-deleted object");
    if (standing === "soft-deleted") await call(vault, "DELETE", "/keys/orders");
    const file = join(folder, "orders.keybackup");
    writeFileSync(file, blob);
    await expect(resource.created({ name: "copy", restoreFrom: { file } })).rejects.toThrow(
      /^KV_INVALID_INPUT: restore key "copy" .* already holds the key that the backup is of, key "orders" by the name of its file: a restored key keeps its name: set name: "orders"/,
    );
    expect(restores()).toBe(1);
  });

  it("after the longest purge where the blob is all that is known", async () => {
    await start("says 409 and no more over a soft-deleted object");
    await expect(resource.created({ name: "copy", restoreFrom: { blob } })).rejects.toThrow(
      /^KV_BACKUP_REJECTED: restore key "copy" .* holds no key of that name, active or deleted.*409 Conflict.*may be of a key that the vault holds under another name/,
    );
    // Two minutes of pauses that grow to five seconds, not the ten minutes of the whole deadline.
    expect(restores()).toBeLessThan(40);
  });
});
