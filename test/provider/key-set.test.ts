import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, keySet } from "../../provider/dynamic-v1.js";
import { keyOutputsOf } from "../../provider/key-set/key-set-outputs.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";

let vault: Emulator;
let folder: string;
let set: DrivenResource;

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  folder = mkdtempSync(join(tmpdir(), "key-set-"));
  set = new DrivenResource(keySet, vault, { vaultUrl: vault.url });
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await vault.close();
});

/** Files of key material in the folder of the set. */
function files(...names: string[]): Record<string, ReturnType<typeof ecKey>> {
  return Object.fromEntries(
    names.map((name) => {
      const made = ecKey();
      writeFileSync(join(folder, `${name}.pem`), made.pkcs8);
      return [name, made];
    }),
  );
}

const imported = () => ({ import: { folder, match: "*.pem" } });

/** What state holds of each key, as a Key of its own would have it. */
function keysOf({ outs }: State): Record<string, Arguments> {
  return Object.fromEntries(
    [...unpackRecords(outs.records)].map(([name, record]) => [name, keyOutputsOf(outs, name, record)]),
  );
}

async function inVault(path: string): Promise<Arguments> {
  const answer = await call(vault, "GET", path).catch(({ message }: Error) => ({ refused: message }));
  return answer as Arguments;
}

describe("a set of keys", () => {
  it("imports every file of a folder under its name, with the set's settings", async () => {
    files("pump-1", "pump-2", "pump-3");
    const state = await set.created({ ...imported(), tags: { fleet: "devices" }, expiresOn: "2099-01-01T00:00:00Z" });
    expect(Object.keys(keysOf(state))).toEqual(["pump-1", "pump-2", "pump-3"]);
    const found = await inVault("/keys/pump-2");
    expect(found).toMatchObject({ tags: { fleet: "devices" }, attributes: { exp: 4070908800 } });
  });

  it("imports a JWK set by kid, and keys with a source of their own", async () => {
    const jwks = { keys: ["a", "b"].map((kid) => ({ ...ecKey().jwk, kid, use: "sig", alg: "ES256" })) };
    writeFileSync(join(folder, "keys.json"), JSON.stringify(jwks));
    const state = await set.created({
      import: { jwks: join(folder, "keys.json") },
      entries: { c: { generate: { keyType: "EC" }, tags: { own: "1" } }, d: { import: { pem: ecKey().pkcs8 } } },
    });
    expect(Object.keys(keysOf(state))).toEqual(["a", "b", "c", "d"]);
    expect(keysOf(state).c).toMatchObject({ tags: { own: "1" }, keyType: "EC" });
  });

  it("asks nothing for what stays as it is, and changes only what differs", async () => {
    files("a", "b");
    const state = await set.created(imported());
    const same = await set.updated(state, imported());
    expect(set.operations()).toEqual([]);
    const tagged = await set.updated(same, { ...imported(), entries: { b: { tags: { site: "north" } } } });
    expect(set.operations()).toEqual(["updateKey"]);
    expect(tagged.inputs.keys).toMatchObject({ b: { tags: { site: "north" } } });
    expect(await inVault("/keys/b")).toMatchObject({ tags: { site: "north" } });
  });

  it("makes a version for changed material, and for no other key", async () => {
    files("a", "b");
    const state = await set.created(imported());
    const before = keysOf(state);
    files("b");
    const after = keysOf(await set.updated(state, imported()));
    expect(after.a?.version).toBe(before.a?.version);
    expect(after.b?.version).not.toBe(before.b?.version);
  });

  it("leaves a key that left the set in the vault, or does what removed says", async () => {
    files("a", "b", "c");
    const state = await set.created(imported());
    rmSync(join(folder, "c.pem"));
    const retained = await set.updated(state, imported());
    expect(Object.keys(keysOf(retained))).toEqual(["a", "b"]);
    expect(await inVault("/keys/c")).toHaveProperty("key");
    rmSync(join(folder, "b.pem"));
    nextEngineRun();
    const deleted = await set.updated(retained, { ...imported(), removed: "delete" });
    expect(Object.keys(keysOf(deleted))).toEqual(["a"]);
    expect(await inVault("/keys/b")).toHaveProperty("refused", expect.stringContaining("404"));
  });

  it("goes with all of its keys, as onDelete says", async () => {
    files("a", "b");
    await set.deleted(await set.created({ ...imported(), entries: { b: { onDelete: "retain" } } }));
    expect(await inVault("/keys/a")).toHaveProperty("refused", expect.stringContaining("404"));
    expect(await inVault("/keys/b")).toHaveProperty("key");
  });

  it("stays as it is in a pipeline without the material", async () => {
    files("a", "b");
    const state = await set.created(imported());
    rmSync(folder, { recursive: true });
    expect(await set.checked(imported(), state.inputs)).toEqual(state.inputs);
    mkdirSync(folder);
    expect(await set.checked(imported(), state.inputs)).toEqual(state.inputs);
  });

  it("tells drift by key and property", async () => {
    files("a", "b", "c");
    const state = await set.created({ ...imported(), tags: { fleet: "devices" } });
    expect(await set.drift(state)).toEqual({});
    vault.clock.advance(10_000);
    await call(vault, "PATCH", "/keys/b", { attributes: { enabled: false } });
    await call(vault, "PUT", "/keys/c", { key: ecKey().jwk, tags: { fleet: "devices" } });
    const { keys } = await set.drift(state);
    expect(keys).toMatchObject({ a: state.inputs.keys && (state.inputs.keys as Arguments).a });
    expect((keys as Record<string, Arguments>).b).toMatchObject({ enabled: false });
    expect((keys as Record<string, Arguments>).c?.thumbprint).toMatch(/^[\w-]{43} instead of [\w-]{43}$/);
    const healed = await set.updated(await set.refreshed(state), { ...imported(), tags: { fleet: "devices" } });
    expect(await inVault("/keys/b")).toMatchObject({ attributes: { enabled: true } });
    expect(await set.drift(healed)).toEqual({});
  });

  it("makes a key again that is gone", async () => {
    files("a", "b");
    const state = await set.created(imported());
    await call(vault, "DELETE", "/keys/b");
    const refreshed = await set.refreshed(state);
    expect(Object.keys(refreshed.inputs.keys as Arguments)).toEqual(["a"]);
    const again = await set.updated(refreshed, imported());
    expect(Object.keys(keysOf(again))).toEqual(["a", "b"]);
    expect(await inVault("/keys/b")).toHaveProperty("key");
  });

  it("records those that were made where others fail, by name, and goes on with these", async () => {
    files("a", "b", "c");
    await call(vault, "PUT", "/keys/b", { key: ecKey().jwk });
    const inputs = await set.checked(imported());
    const failure = await keySet.create(inputs).then(
      () => undefined,
      (error: Error & { properties?: Arguments }) => error,
    );
    expect(failure?.message).toContain('key "b": KV_ALREADY_EXISTS');
    const outs = failure?.properties ?? {};
    expect([...unpackRecords(outs.records).keys()]).toEqual(["a", "c"]);
    await call(vault, "DELETE", "/keys/b");
    await call(vault, "DELETE", "/deletedkeys/b");
    const again = await set.updated({ id: String(vault.url), inputs, outs }, imported());
    expect(Object.keys(keysOf(again))).toEqual(["a", "b", "c"]);
  });

  it("refuses a key that another resource of the program manages", async () => {
    files("a");
    const inputs = await set.checked(imported());
    expect(inputs.keys).toHaveProperty("a");
    const { failures } = await key.check(
      {},
      { vaultUrl: vault.url, name: "A", generate: { keyType: "EC" }, ...identity("other") },
    );
    expect(failures.map(({ reason }) => reason).join()).toContain("already manages the key");
  });

  it("tells all that is wrong with many keys alike once", async () => {
    files("a", "b", "c");
    const told = await set.refused({
      ...imported(),
      entries: { b: { keyOps: ["encrypt"] }, c: { keyOps: ["encrypt"] } },
    });
    expect(told).toBe(
      'KV_INVALID_INPUT: keys "b", "c": keyOps: a key of type EC has no encrypt: it takes sign, verify, deriveKey, export',
    );
  });

  it("holds no material in state", async () => {
    const [{ canaries = [] } = {}] = Object.values(files("a"));
    const { jwk, canaries: others } = ecKey();
    const state = await set.created({ ...imported(), entries: { b: { import: { jwk } } } });
    const text = JSON.stringify([state, [...unpackRecords(state.outs.records)]]);
    for (const canary of [...canaries, ...others]) expect(text).not.toContain(canary);
  });
});
