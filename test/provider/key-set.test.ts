import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { cancelRun } from "../../provider/engine/run-cancellation.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { keyOutputsOf } from "../../provider/key-set/key-set-outputs.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { hurried, identity, nextEngineRun } from "./engine-run.js";
import { keyFiles } from "./key-files.js";
import { startOtherServer } from "./other-server.js";
import { key, keySet } from "./providers.js";

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
const files = (...names: string[]) => keyFiles(folder, ...names);

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

/** Of the vault's list, empty ones in between too, as who follows its links alone asks for them. */
async function pagesOfKeys(): Promise<number> {
  let pages = 0;
  let next: unknown = "/keys?api-version=7.4";
  for (; typeof next === "string"; pages++) {
    const { pathname, search } = new URL(next, vault.url);
    const headers = { authorization: `Bearer ${vault.token}` };
    ({ nextLink: next } = (await (await fetch(`${vault.url}${pathname}${search}`, { headers })).json()) as Arguments);
  }
  return pages;
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
    expect(set.operations()).toEqual(["getKey", "updateKey"]);
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

  it("wraps what it imports on its way, for each key of a folder and of one that has a source of its own", async () => {
    const exchange = `${vault.url}/keys/kek`;
    await call(vault, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    files("a", "b");
    const sent = vi.fn<(path: string, body: string) => void>();
    const { pkcs8, canaries } = ecKey();
    const server = await startOtherServer(vault, (answer) => {
      sent(answer.path, answer.sent);
      return answer;
    });
    const wired = new DrivenResource(keySet, vault, { vaultUrl: server.url });
    const wrapWith = exchange.replace(vault.url, server.url);
    const args = { import: { ...imported().import, wrapWith }, entries: { c: { import: { pem: pkcs8, wrapWith } } } };
    const state = await wired.created(args);
    server.close();
    expect(keysOf(state)).toMatchObject({
      a: { keyType: "EC-HSM" },
      b: { keyType: "EC-HSM" },
      c: { keyType: "EC-HSM" },
    });
    const imports = sent.mock.calls.filter(([path, body]) => /^\/keys\/[abc]\b/.test(path) && body !== "");
    expect(imports.map(([, body]) => body.includes('"key_hsm"'))).toEqual([true, true, true]);
    expect(canaries.filter((canary) => JSON.stringify([state, imports]).includes(canary))).toEqual([]);
  });

  it("holds no material in state", async () => {
    const [{ canaries = [] } = {}] = Object.values(files("a"));
    const { jwk, canaries: others } = ecKey();
    const state = await set.created({ ...imported(), entries: { b: { import: { jwk } } } });
    const text = JSON.stringify([state, [...unpackRecords(state.outs.records)]]);
    for (const canary of [...canaries, ...others]) expect(text).not.toContain(canary);
  });
});

describe("a key of a set", () => {
  it("is recovered where a soft-deleted one holds the name", async () => {
    const { a } = files("a");
    await call(vault, "PUT", "/keys/a", { key: a?.jwk });
    const { key: before } = (await inVault("/keys/a")) as { key: Arguments };
    await call(vault, "DELETE", "/keys/a");
    const state = await set.created({ ...imported(), tags: { fleet: "devices" } });
    expect(keysOf(state).a?.version).toBe(String(before.kid).split("/").at(-1));
    expect(await inVault("/keys/a")).toMatchObject({ tags: { fleet: "devices" } });
  });

  it("tells apart what was made, and what was there, deleted or adopted", async () => {
    const entries = { gone: { generate: { keyType: "EC" } }, left: { generate: { keyType: "EC" } } };
    const state = await set.created({ entries });
    await call(vault, "DELETE", "/keys/gone");
    await call(vault, "POST", "/keys/outside/create", { kty: "EC" });
    nextEngineRun();
    const told: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
    // The state of the run before was lost.
    await set.created({
      entries: { ...entries, added: { generate: { keyType: "EC" } }, outside: { adopt: true } },
    });
    vi.restoreAllMocks();
    expect(told.join("")).toContain(
      `keys of ${vault.url}: 1 made, 3 recovered or taken over, 0 changed, 0 left the set, 0 as they were (`,
    );
    expect(Object.keys(keysOf(state))).toEqual(["gone", "left"]);
  });

  it("tells what happens to many keys alike by a line for each of the first, and one for the others", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `pump-${index}`);
    const entries = Object.fromEntries(names.map((name) => [name, { generate: { keyType: "EC" } }]));
    await set.created({ entries });
    nextEngineRun();
    const told: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text).trimEnd()) > 0);
    // The state of the run before was lost.
    await set.created({ entries });
    vi.restoreAllMocks();
    const taken = told.filter((line) => line.includes("taken over") && line.startsWith('key "'));
    expect(taken).toHaveLength(21);
    expect(taken.at(-1)).toMatch(/^key "…" in .* taken over; so it is with 10 more: (?:pump-\d+, ){9}pump-\d+$/);
    const named = new Set(taken.join().match(/pump-\d+/g));
    expect(named.size).toBe(30);
  });

  it("is restored from a backup, generated or adopted, each in its own way", async () => {
    const source = await startEmulator({ timing: "instant" });
    await call(source, "PUT", "/keys/r", { key: ecKey().jwk, tags: { from: "backup" } });
    const { value: blob } = (await call(source, "POST", "/keys/r/backup")) as { value: string };
    await source.close();
    await call(vault, "PUT", "/keys/x", { key: ecKey().jwk, tags: { by: "hand" } });
    const entries = {
      r: { restoreFrom: { blob } },
      g: { generate: { keyType: "EC", curve: "P-384" } },
      x: { adopt: true },
    };
    const state = await set.created({ entries });
    expect(keysOf(state)).toMatchObject({ r: { found: { tags: { from: "backup" } } }, g: {}, x: { adopt: true } });
    expect(await inVault("/keys/x")).toMatchObject({ tags: { by: "hand" } });
    vault.clock.advance(10_000);
    expect(await set.drift(state)).toEqual({});
    const updated = await set.updated(state, { entries });
    expect(set.operations()).toEqual([]);
    expect(updated.inputs).toEqual(state.inputs);
  });

  it("disables the version before where the program makes another", async () => {
    files("a");
    const args = { ...imported(), previousVersions: "disable" };
    const state = await set.created(args);
    const before = keysOf(state).a?.version;
    files("a");
    await set.updated(state, args);
    expect(await inVault(`/keys/a/${before}`)).toMatchObject({ attributes: { enabled: false } });
  });

  it("carries the mark of its set, and one of another stack is left alone", async () => {
    files("a", "b");
    const state = await set.created(imported());
    const { tags } = (await inVault("/keys/a")) as { tags: Record<string, string> };
    expect(tags["pulumi-keyvault"]).toMatch(/^shop\/prod [\w-]{16}$/);
    await call(vault, "PATCH", "/keys/b", { tags: { "pulumi-keyvault": "shop/other 0123456789abcdef" } });
    await set.deleted(state);
    expect(await inVault("/keys/a")).toHaveProperty("refused");
    expect(await inVault("/keys/b")).toHaveProperty("key");
  });

  it("is taken over from a run that was cut off, without another version", async () => {
    files("a", "b", "c");
    const inputs = await set.checked(imported());
    const { outs } = await keySet.create(inputs);
    nextEngineRun();
    const again = await keySet.create(await set.checked(imported()));
    const versions = (found: Arguments) => [...unpackRecords(found.records)].map(([, { facts }]) => facts.version);
    expect(versions(again.outs)).toEqual(versions(outs));
  });

  it("is taken over from a Key of the same stack, a generated one too, and goes back without another version", async () => {
    const { a } = files("a");
    const single = new DrivenResource(key, vault, { vaultUrl: vault.url });
    const one = await single.created({ name: "a", import: { jwk: a?.jwk } });
    const two = await single.created({ name: "g", generate: { keyType: "EC", curve: "P-384" } });
    nextEngineRun();
    const args = { ...imported(), entries: { g: { generate: { keyType: "EC", curve: "P-384" } } } };
    const state = await set.created(args);
    const versions = { a: one.outs.version, g: two.outs.version };
    expect(keysOf(state)).toMatchObject({ a: { version: versions.a }, g: { version: versions.g } });
    // The engine deletes the Keys at the end of that run: the program declares them.
    for (const { id, outs } of [one, two]) await key.delete(id, outs);
    expect(await inVault("/keys/g")).toHaveProperty("key");
    nextEngineRun();
    const back = await single.created({ name: "g", generate: { keyType: "EC", curve: "P-384" } });
    expect(back.outs.version).toBe(versions.g);
    await keySet.delete(state.id, state.outs);
    expect(await inVault("/keys/g")).toHaveProperty("key");
    expect(await inVault("/keys/a")).toHaveProperty("refused");
  });

  it("is told by name where it cannot be read, and the set is not taken for unchanged", async () => {
    files("a", "b");
    const state = await set.created(imported());
    vault.faults.add({ kind: "status", operation: "getKeys", status: 403, code: "Forbidden" });
    vault.faults.add({ kind: "status", operation: "getKey", name: "b", status: 403, code: "Forbidden" });
    await expect(keySet.read(state.id, state.outs)).rejects.toThrow(/KV_FORBIDDEN.*key "b"/s);
  });
});

describe("the settings of a set", () => {
  it("may be unknown in a preview, as a source or all of the keys may", async () => {
    files("a");
    const inputs = await set.checked({ ...imported(), expiresOn: UNKNOWN, tags: { site: UNKNOWN } });
    expect(inputs).toMatchObject({ expiresOn: UNKNOWN, tags: { site: UNKNOWN } });
    expect((await set.checked({ entries: { b: { import: UNKNOWN } } })).keys).toEqual({ b: { thumbprint: UNKNOWN } });
    expect((await set.checked({ import: UNKNOWN })).keys).toBe(UNKNOWN);
    expect((await set.checked({ entries: UNKNOWN })).keys).toBe(UNKNOWN);
  });

  it("are changed for all keys, but for those with another word of their own", async () => {
    files("a", "b");
    const own = { ...imported(), entries: { b: { tags: { own: "1" } } } };
    const state = await set.created({ ...own, tags: { fleet: "devices" } });
    await set.updated(state, { ...own, tags: { fleet: "pumps" } });
    expect(set.operations()).toEqual(["getKey", "updateKey"]);
    expect(await inVault("/keys/a")).toMatchObject({ tags: { fleet: "pumps" } });
    expect(await inVault("/keys/b")).toMatchObject({ tags: { own: "1" } });
  });

  it("are taken back by a key that has none of them", async () => {
    files("a", "b");
    const state = await set.created({ ...imported(), tags: { fleet: "devices" }, enabled: false });
    const own = { b: { tags: {}, enabled: true } };
    await set.updated(state, { ...imported(), tags: { fleet: "devices" }, enabled: false, entries: own });
    const { tags, attributes } = (await inVault("/keys/b")) as { tags: Arguments; attributes: Arguments };
    expect(Object.keys(tags)).toEqual(["pulumi-keyvault"]);
    expect(attributes).toMatchObject({ enabled: true });
    expect(await inVault("/keys/a")).toMatchObject({ attributes: { enabled: false } });
  });

  it("refuse a folder that is not there, names that no key can have, and members of other resources", async () => {
    expect(await set.refused({ import: { folder: join(folder, "nowhere") } })).toMatch(
      /not at hand: folder .* does not/,
    );
    writeFileSync(join(folder, "my key.pem"), ecKey().pkcs8);
    expect(await set.refused(imported())).toContain('import names the file "my key.pem": no key can have that name');
    expect(await set.refused({ entries: { a: { generate: { keyType: "EC" }, vaultUrl: vault.url } } })).toContain(
      '"vaultUrl" is not a property of a key of a set',
    );
    expect(await set.refused({ entries: { a: {} } })).toContain("needs one source");
    expect(await set.refused({})).toContain("there is no key in this set");
  });
});

describe("a large set", () => {
  it("is refreshed by the list alone, and of what changed by its key", async () => {
    const entries = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`k-${index}`, {}]));
    const args = { entries, generate: { keyType: "EC" } };
    const state = await set.created(args);
    expect(JSON.stringify(state).length / 120).toBeLessThan(250);
    useRunClock({ ...hurried(), now: () => Date.now() + 10_000 });
    const settled = await set.refreshed(state);
    vault.requests.clear();
    expect(await set.drift(settled)).toEqual({});
    expect(new Set(set.operations())).toEqual(new Set(["getKeys"]));
    expect(set.operations().length).toBeLessThanOrEqual(6);
    await call(vault, "PATCH", "/keys/k-7", { tags: { a: "b" } });
    vault.requests.clear();
    await set.refreshed(settled);
    expect(set.operations().filter((operation) => operation !== "getKeys")).toEqual(["getKey"]);
  });

  it("of thousands is refreshed by the pages of the vault's list, and by no other request", {
    timeout: 240_000,
  }, async () => {
    const count = 2_000;
    const materials = Array.from({ length: 4 }, () => ({ pem: ecKey().pkcs8 }));
    const entries = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`k-${index}`, { import: materials[index % materials.length] }]),
    );
    const state = await set.created({ entries });
    useRunClock({ ...hurried(), now: () => Date.now() + 10_000 });
    const settled = await set.refreshed(state);
    vault.requests.clear();
    expect(await set.drift(settled)).toEqual({});
    const asked = set.operations();
    expect(asked).toEqual(Array.from({ length: await pagesOfKeys() }, () => "getKeys"));
  });

  it("ends at once where the run is cancelled, and records what was made", async () => {
    const entries = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k-${index}`, {}]));
    const inputs = await set.checked({ entries, generate: { keyType: "EC" } });
    cancelRun();
    await expect(keySet.create(inputs)).rejects.toThrow(/40 were not tried, since the run was cancelled/);
  });

  it("tells how far it is every few seconds, in one line", async () => {
    const entries = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k-${index}`, {}]));
    const inputs = await set.checked({ entries, generate: { keyType: "EC" } });
    let now = Date.now();
    useRunClock({ ...hurried(), now: () => (now += 100) });
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
    await keySet.create(inputs);
    write.mockRestore();
    expect(lines[0]).toMatch(/^keys of http\S+: \d+ of 40 in \d+ s, [\d.]+ a second, \d+ left \(about .* s\)\n$/);
    expect(lines.length).toBeLessThan(40);
  });

  it("has one time for all of its keys, and names those for which it was too short", async () => {
    vault.faults.add({ kind: "conflict", operation: "createKey", name: "b" });
    const inputs = await set.checked({
      entries: { a: {}, b: {} },
      generate: { keyType: "EC" },
      timeouts: { create: "30s" },
    });
    const failure = await keySet.create(inputs).catch((error: Error) => error);
    expect((failure as Error).message).toMatch(/^KV_TIMEOUT: 1 key of the set .*key "b": KV_TIMEOUT: waited 2\d s/s);
  });

  it("stops asking where the vault refuses everybody", async () => {
    const entries = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k-${index}`, {}]));
    const inputs = await set.checked({ entries, generate: { keyType: "EC" } });
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden" });
    await expect(keySet.create(inputs)).rejects.toThrow(
      /KV_FORBIDDEN.*were not tried, since too many failed in a row/s,
    );
    expect(set.operations().length).toBeLessThan(200);
  });
});
