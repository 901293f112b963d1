import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { keyOutputsOf } from "../../provider/key-set/key-set-outputs.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { hurried, identity, nextEngineRun } from "./engine-run.js";
import { keyFiles } from "./key-files.js";
import { key, keySet } from "./providers.js";

let vault: Emulator;
let folder: string;
let set: DrivenResource;
let single: DrivenResource;

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  folder = mkdtempSync(join(tmpdir(), "key-set-"));
  set = new DrivenResource(keySet, vault, { vaultUrl: vault.url });
  single = new DrivenResource(key, vault, { vaultUrl: vault.url });
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await vault.close();
});

/** Files of key material in the folder of the set. */
const files = (...names: string[]) => keyFiles(folder, ...names);

const imported = () => ({ import: { folder, match: "*.pem" } });

/** What state holds of each key, as a Key of its own would have it. */
function keysOf({ outs }: Pick<State, "outs">): Record<string, Arguments> {
  return Object.fromEntries(
    [...unpackRecords(outs.records)].map(([name, record]) => [name, keyOutputsOf(outs, name, record)]),
  );
}

async function inVault(path: string): Promise<Arguments> {
  const answer = await call(vault, "GET", path).catch(({ message }: Error) => ({ refused: message }));
  return answer as Arguments;
}

/** As somebody does who keeps the tags, and with them the mark of the set. */
async function swap(name: string): Promise<void> {
  const { tags } = await inVault(`/keys/${name}`);
  await call(vault, "PUT", `/keys/${name}`, { key: ecKey().jwk, tags });
}

describe("where a set looks for material", () => {
  it("is told of a folder whose name is not shown", async () => {
    const told = await set.refused({ import: { folder: "device-keys-that-are-nowhere" } });
    expect(told).toMatch(/folder "…" \(not shown: text of 28 characters.* does not exist in /);
    expect(told).toContain(JSON.stringify(process.cwd()));
  });

  it.each([{ folder: "~/keys" }, { jwks: "~/keys.json" }])(
    "is told that only a shell reads the ~ of %j",
    async (source) => {
      expect(await set.refused({ import: source })).toMatch(/does not exist: a path does not expand ~/);
    },
  );
});

function failureOf(run: Promise<unknown>): Promise<(Error & { properties?: Arguments }) | undefined> {
  return run.then(
    () => undefined,
    (error: Error & { properties?: Arguments }) => error,
  );
}

describe("a set that comes to publicKeys: true later", () => {
  it("reads the public keys of all its keys once, and forgets them again", async () => {
    files("a", "b");
    const state = await set.created(imported());
    const on = await set.updated(state, { ...imported(), publicKeys: true });
    expect(set.operations().sort()).toEqual(["getKey", "getKey"]);
    expect(keysOf(on).a?.publicKey).toMatchObject({ curve: "P-256", x: expect.any(String), y: expect.any(String) });
    await set.updated(on, { ...imported(), publicKeys: true });
    expect(set.operations()).toEqual([]);
    const off = await set.updated(on, imported());
    expect(keysOf(off).b?.publicKey).not.toHaveProperty("x");
  });

  it("makes a key again that it finds gone then", async () => {
    files("a", "b");
    const state = await set.created(imported());
    await call(vault, "DELETE", "/keys/b");
    const on = await set.updated(state, { ...imported(), publicKeys: true });
    expect(keysOf(on).b?.publicKey).toHaveProperty("x");
    expect(await inVault("/keys/b")).toHaveProperty("key");
  });
});

describe("a key of a set that another stack has adopted", () => {
  const theirs = { "pulumi-keyvault": "other/dev AAAAAAAAAAAAAAAA" };
  const taken = async (): Promise<State> => {
    files("a", "b");
    const state = await set.created({ ...imported(), onDelete: "delete" });
    await call(vault, "PATCH", "/keys/a", { tags: { team: "theirs", ...theirs } });
    nextEngineRun();
    return state;
  };
  const left = () => ({ ...imported(), onDelete: "delete" });

  it("keeps that mark where the set writes tags, looked at by a refresh or not, and stays when the set goes", async () => {
    for (const isRefreshed of [false, true]) {
      const state = isRefreshed ? await set.refreshed(await taken()) : await taken();
      const updated = await set.updated(state, { ...left(), tags: { team: "ours" } });
      expect(await inVault("/keys/a")).toMatchObject({ tags: { team: "ours", ...theirs } });
      expect(keysOf(updated).a).toMatchObject({ otherMark: theirs["pulumi-keyvault"] });
      await set.deleted(updated);
      expect(await inVault("/keys/a")).toHaveProperty("key");
      expect(await inVault("/keys/b")).toHaveProperty("refused");
      await call(vault, "DELETE", "/keys/a");
      for (const name of ["a", "b"]) await call(vault, "DELETE", `/deletedkeys/${name}`);
    }
  });

  it("stays when the set goes, though nothing has looked since, and is asked for nothing where nothing changed", async () => {
    const state = await taken();
    const updated = await set.updated(state, left());
    expect(set.operations()).toEqual([]);
    await set.deleted(updated);
    expect(await inVault("/keys/a")).toHaveProperty("key");
  });

  it("is remembered as taken by updates that leave it as it is", async () => {
    const refreshed = await set.refreshed(await taken());
    const updated = await set.updated(refreshed, left());
    expect(keysOf(updated).a).toMatchObject({ otherMark: theirs["pulumi-keyvault"] });
    const next = await set.updated(updated, { ...left(), tags: { team: "ours" } });
    expect(await inVault("/keys/a")).toMatchObject({ tags: { team: "ours", ...theirs } });
    expect(keysOf(next).b).not.toHaveProperty("otherMark");
  });

  it("comes back with adopt: true", async () => {
    const refreshed = await set.refreshed(await taken());
    await set.updated(refreshed, { ...left(), adopt: true, tags: { team: "ours" } });
    expect(await inVault("/keys/a")).toMatchObject({
      tags: { "pulumi-keyvault": expect.stringMatching(/^shop\/prod /) },
    });
  });
});

describe("a key that leaves its set", () => {
  for (const removed of ["disable", "delete", "purge"]) {
    it(`stays as it is where a Key that goes on with it is declared right behind, with removed: "${removed}"`, async () => {
      const { b } = files("a", "b");
      const state = await set.created({ ...imported(), removed });
      rmSync(join(folder, "b.pem"));
      nextEngineRun();
      let isDeclared: Promise<Arguments> | undefined;
      const declare = () => single.checked({ name: "b", import: { pem: b?.pkcs8 } });
      useRunClock(hurried(() => (isDeclared ??= declare())));
      await set.updated(state, { ...imported(), removed });
      expect(set.operations()).toEqual([]);
      const inputs = await isDeclared;
      const { outs } = await key.create(inputs ?? {});
      expect(outs.version).toBe(keysOf(state).b?.version);
    });
  }

  for (const removed of [undefined, "delete"]) {
    it(`goes back to a Key that had it before a run that failed, and goes with that one, with removed: ${removed}`, async () => {
      const { b } = files("a", "b");
      const args = { name: "b", import: { pem: b?.pkcs8 } };
      const before = await single.created(args);
      rmSync(join(folder, "b.pem"));
      const small = await set.created({ ...imported(), removed });
      nextEngineRun();
      files("b");
      writeFileSync(join(folder, "b.pem"), b?.pkcs8 ?? "");
      const taken = await set.updated(small, { ...imported(), removed });
      expect(keysOf(taken).b?.version).toBe(before.outs.version);

      rmSync(join(folder, "b.pem"));
      nextEngineRun();
      const shown = [
        async () => void (await single.checked(args, before.inputs)),
        async () => void (await key.diff(before.id, before.outs, before.inputs)),
      ];
      useRunClock(hurried(() => shown.shift()?.()));
      await set.updated(taken, { ...imported(), removed });
      await single.deleted(before);
      expect(await inVault("/keys/b")).toHaveProperty("refused");
    });
  }

  it('is deleted and purged with removed: "purge" where nothing more is declared', async () => {
    files("a", "b");
    const state = await set.created({ ...imported(), removed: "purge" });
    rmSync(join(folder, "b.pem"));
    nextEngineRun();
    await set.updated(state, { ...imported(), removed: "purge" });
    expect(await inVault("/deletedkeys")).toEqual({ value: [], nextLink: null });
    expect(await inVault("/keys/b")).toHaveProperty("refused");
  });

  it("keeps what state knows of it where it cannot be removed and the set says something else by now", async () => {
    files("a", "b");
    const state = await set.created({ ...imported(), onDelete: "retain", tags: { site: "north" } });
    rmSync(join(folder, "b.pem"));
    nextEngineRun();
    const inputs = await set.checked({ ...imported(), removed: "delete", tags: { site: "south" } }, state.inputs);
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "deleteKey" });
    const failure = await failureOf(keySet.update(state.id, state.outs, inputs));
    expect(failure?.message).toContain('key "b": KV_FORBIDDEN');
    const outs = failure?.properties ?? {};
    expect(keysOf({ outs })).toMatchObject({
      a: { tags: { site: "south" } },
      b: { tags: { site: "north" }, onDelete: "retain" },
    });
  });
});

describe("a generated key that moves from one set to another", () => {
  it("gets no new version where the run that was to move it was cut off", async () => {
    const generate = { keyType: "EC" };
    const of = (name: string) => ({ ...identity(name, "KeySet") });
    const first = await set.created({ ...of("first"), generate, entries: { x: {}, z: {} } });
    const second = await set.created({ ...of("second"), generate, entries: { y: {} } });
    const { version } = keysOf(first).x ?? {};
    nextEngineRun();
    await set.checked({ ...of("first"), generate, entries: { z: {} } }, first.inputs);
    const inputs = await set.checked({ ...of("second"), generate, entries: { x: {}, y: {} } }, second.inputs);
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "x", times: 1 });
    const failure = await failureOf(keySet.update(second.id, second.outs, inputs));
    expect(failure?.message).toContain('key "x"');

    nextEngineRun();
    await set.checked({ ...of("second"), generate, entries: { x: {}, y: {} } }, inputs);
    await set.updated(first, { ...of("first"), generate, entries: { z: {} } });
    const cut: State = { id: second.id, inputs, outs: failure?.properties ?? {} };
    const moved = await set.updated(cut, { ...of("second"), generate, entries: { x: {}, y: {} } });
    expect(keysOf(moved).x?.version).toBe(version);
  });
});

describe("a key that is swapped in the second of the set's last look", () => {
  it("is found where the vault's clock is behind the program's", async () => {
    files("a", "b");
    vault.clock.freeze(Date.now() - 60_000);
    const state = await set.created(imported());
    await swap("b");
    expect(JSON.stringify(await set.drift(state))).toContain(" instead of ");
  });

  it("is found after an update that asks for other keys alone", async () => {
    files("a", "b");
    let ahead = 0;
    useRunClock({ ...hurried(), now: () => Date.now() + ahead });
    vault.clock.freeze();
    const state = await set.created(imported());
    await swap("b");
    ahead = 60_000;
    vault.clock.advance(60_000);
    const entries = { a: { tags: { site: "north" } } };
    const updated = await set.updated(state, { ...imported(), entries });
    expect(JSON.stringify(await set.drift(updated))).toContain(" instead of ");
  });
});

describe("an entry that a preview does not know", () => {
  it("is unknown as a whole, whatever its source is to be", async () => {
    files("a", "b");
    const made = { c: { generate: { keyType: "EC" } } };
    const state = await set.created({ ...imported(), entries: made });
    const inputs = await set.checked({ ...imported(), entries: { b: UNKNOWN, c: UNKNOWN } }, state.inputs);
    expect(inputs.keys).toEqual({ a: (state.inputs.keys as Arguments).a, b: UNKNOWN, c: UNKNOWN });
    const { changes } = await keySet.diff(state.id, state.outs, inputs);
    expect(changes).toBeUndefined();
    nextEngineRun();
    const generated = await set.checked({ generate: { keyType: "EC" }, entries: { new: UNKNOWN } });
    expect(generated.keys).toEqual({ new: UNKNOWN });
  });
});

describe("a set with ignoreChanges", () => {
  it("takes no material from what is handed in under the name of what state holds", async () => {
    const { pkcs8 } = ecKey();
    const keys = { a: { import: { pem: pkcs8 }, restoreFrom: { blob: pkcs8 } } };
    const { inputs } = await keySet.check({}, { ...identity("devices", "KeySet"), vaultUrl: vault.url, keys });
    expect(JSON.stringify(inputs)).not.toContain(pkcs8.slice(40, 80));
  });

  it("is handed on a version that a refresh has found, which no program says", async () => {
    const args = { generate: { keyType: "EC" }, entries: { a: {} } };
    const state = await set.created(args);
    vault.clock.advance(10_000);
    await swap("a");
    const refreshed = await set.refreshed(state);
    expect(refreshed.inputs.keys).toHaveProperty("a.version", expect.stringMatching(/^[0-9a-f]{32}$/));
    expect(await set.checked({ ...args, keys: refreshed.inputs.keys }, refreshed.inputs)).toEqual(refreshed.inputs);
  });

  it("keeps one property of one key, and its source with it", async () => {
    files("a", "b", "c");
    const state = await set.created({ ...imported(), entries: { b: { tags: { site: "north" } } } });
    const entries = { b: { tags: { site: "south" } }, c: { tags: { site: "west" } } };
    const keys = { b: { tags: { site: "north" } } };
    const next = await set.updated(state, { ...imported(), entries, keys });
    expect(keysOf(next)).toMatchObject({
      b: { tags: { site: "north" }, thumbprint: keysOf(state).b?.thumbprint },
      c: { tags: { site: "west" } },
    });
    expect(set.operations()).toEqual(["getKey", "updateKey"]);
    rmSync(join(folder, "b.pem"));
    nextEngineRun();
    expect(Object.keys(keysOf(await set.updated(next, { ...imported(), keys })))).toEqual(["a", "c"]);
  });

  it("takes what a refresh has found of its keys for what the program says", async () => {
    files("a", "b", "c");
    const state = await set.created(imported());
    vault.clock.advance(10_000);
    await swap("b");
    await call(vault, "PATCH", "/keys/c", { attributes: { exp: 4070908800 } });
    const refreshed = await set.refreshed(state);
    const { keys } = refreshed.inputs;
    const next = await set.updated(refreshed, { ...imported(), tags: { site: "north" }, keys });
    expect(next.inputs.keys).toMatchObject({
      b: { thumbprint: expect.stringMatching(/^[\w-]{43}$/) },
      c: { expiresOn: "2099-01-01T00:00:00Z" },
    });
    expect(await inVault("/keys/b/versions")).toHaveProperty("value.length", 2);
    expect(await set.drift(next)).toEqual({});
  });
});

describe("the keys of a set that fail", () => {
  it("are told of what could not be done, and of others only where there are some", async () => {
    files("a", "b");
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "importKey" });
    const made = await failureOf(keySet.create(await set.checked(imported())));
    expect(made?.message).toMatch(/2 keys of the set in \S+ are not as the program says:\n {2}key "a": KV_FORBIDDEN/);
    vault.faults.clear();
    nextEngineRun();
    const state = await set.created(imported());
    vault.clock.advance(10_000);
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "b" });
    expect((await failureOf(keySet.read(state.id, state.outs)))?.message).toMatch(
      /1 key of the set in \S+ could not be read:\n {2}key "b": KV_FORBIDDEN/,
    );
    const deleted = await failureOf(set.deleted(state));
    expect(deleted?.message).toMatch(/1 key of the set in \S+ could not be deleted:\n {2}key "b": KV_FORBIDDEN/);
    expect(deleted?.message).toMatch(/With the others it is done.*pulumi up --refresh/);
    vault.faults.clear();
    await set.deleted(state);
    expect(await inVault("/keys")).toMatchObject({ value: [] });
  });
});

describe("a disabled key that is adopted as it is", () => {
  it("is known by its line in the vault's list", async () => {
    for (const name of ["on", "off"]) await call(vault, "PUT", `/keys/${name}`, { key: ecKey().jwk });
    await call(vault, "PATCH", "/keys/off", { attributes: { enabled: false } });
    const state = await set.created({ adopt: true, entries: { on: {}, off: {} } });
    let ahead = 0;
    useRunClock({ ...hurried(), now: () => Date.now() + ahead });
    ahead = 60_000;
    const refreshed = await set.refreshed(state);
    vault.requests.clear();
    expect(await set.drift(refreshed)).toEqual({});
    expect(set.operations()).toEqual(["getKeys"]);
  });
});

describe("the sources of a set", () => {
  it("are told without what a terminal obeys, and by the file that is too much", async () => {
    files("a");
    for (const name of ["a.pfx", "\u202egnp.pem"]) writeFileSync(join(folder, name), "");
    const told = await set.refused({ import: { folder } });
    expect(told).not.toContain("\u202e");
    expect(told).toContain('the file "a.pfx": there is another of that name');
    expect(told).toContain('the file "\\u202egnp.pem": no key can have that name');
  });

  it("never show what stands in the place of a pattern", async () => {
    const { d = "" } = ecKey().jwk;
    expect(await set.refused({ import: { folder, match: d } })).not.toContain(d);
  });
});
