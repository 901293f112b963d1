import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { isWholeSet } from "../../provider/key-set/whole-set.js";
import { call, requestCounts } from "../engine/vault-by-hand.js";
import { DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { keySet } from "./providers.js";

const keys = { a: {}, b: {}, c: {} };
const args = { generate: { keyType: "EC" }, entries: keys };

let vault: Emulator;
let set: DrivenResource;
let state: State;

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  set = new DrivenResource(keySet, vault, { vaultUrl: vault.url });
  state = await set.created(args);
});
afterEach(() => vault.close());

const refuse = (name?: string) =>
  vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", ...(name && { name }) });

/** No look after the lost answer is answered either. */
const refuseAfter = (after: number) =>
  vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "b", after });

const unreadIn = ({ outs }: State): Record<string, string> =>
  Object.fromEntries(
    [...unpackRecords(outs.records)].flatMap(([name, { unread }]) => (unread === undefined ? [] : [[name, unread]])),
  );
const namesIn = ({ outs }: State): string[] => [...unpackRecords(outs.records).keys()];

const tag = (name: string, tags: Record<string, string>) => call(vault, "PATCH", `/keys/${name}`, { tags });

/** As somebody does who keeps the tags, and with them the mark of the set. */
async function swap(name: string): Promise<void> {
  const { tags } = (await call(vault, "GET", `/keys/${name}`)) as { tags: object };
  await call(vault, "POST", `/keys/${name}/create`, { kty: "EC", crv: "P-256", tags });
}

async function purge(name: string): Promise<void> {
  await call(vault, "DELETE", `/keys/${name}`);
  await call(vault, "DELETE", `/deletedkeys/${name}`);
}

async function versionsOf(name: string): Promise<number> {
  const found = await call(vault, "GET", `/keys/${name}/versions`).catch(() => ({ value: [] }));
  return (found as { value: unknown[] }).value.length;
}

/** State after a refresh that could not read what happened to a key. The vault shows it from here on. */
async function unreadAfter(strike: (name: string) => Promise<unknown>) {
  await strike("b");
  refuse("b");
  const found = await set.refreshedInPart(state);
  vault.faults.clear();
  return found;
}

describe("keys of a set that a refresh cannot read", () => {
  it("stay as they were recorded, beside one that is gone and one that has changed", async () => {
    await tag("a", { site: "north" });
    await call(vault, "DELETE", "/keys/c");
    refuse("b");
    const found = await set.refreshedInPart(state);
    expect(found.message).toMatch(
      /^KV_FORBIDDEN: 1 key of the set in .* could not be read:\n {2}key "b": KV_FORBIDDEN.*State keeps/,
    );
    expect(namesIn(found)).toEqual(["a", "b"]);
    expect(unreadIn(found)).toEqual({ b: expect.stringMatching(/^KV_FORBIDDEN: getKey "b"/) });
    expect(found.inputs.keys).toEqual({ a: { tags: { site: "north" } }, b: { unread: true } });
  });

  it("fail the refresh where there are no others", async () => {
    refuse();
    const failure = await keySet.read(state.id, state.outs).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure?.message).toMatch(/^KV_FORBIDDEN: 3 keys of the set in .* could not be read:/);
    expect(failure).not.toHaveProperty("properties");
  });

  it("are read by the next refresh, though the list tells nothing new of them", async () => {
    refuse("b");
    const found = await set.refreshedInPart(state);
    vault.faults.clear();
    vault.clock.advance(10_000);
    const again = await set.refreshed(found);
    expect(unreadIn(again)).toEqual({});
    expect(again.inputs).toEqual(state.inputs);
  });

  it("are read by the next update before it writes, and are not written to where that fails", async () => {
    await tag("b", { site: "north" });
    refuse("b");
    const found = await set.refreshedInPart(state);
    const failed = await set.updated(found, args).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failed?.message).toMatch(/key "b": KV_FORBIDDEN: getKey "b"/);
    const kept: State = { ...found, outs: Object(failed).properties };
    expect(Object.keys(unreadIn(kept))).toEqual(["b"]);
    expect(requestCounts(vault)).not.toHaveProperty("updateKey");

    vault.faults.clear();
    const back = await set.updated(kept, args);
    expect(requestCounts(vault)).toEqual({ getKey: 1, updateKey: 1 });
    expect(unreadIn(back)).toEqual({});
    expect(await set.drift(back)).toEqual({});
  });

  it("are made again by the next update where they are gone by then", async () => {
    refuse("b");
    const found = await set.refreshedInPart(state);
    vault.faults.clear();
    await call(vault, "DELETE", "/keys/b");
    await call(vault, "DELETE", "/deletedkeys/b");
    const back = await set.updated(found, args);
    expect(namesIn(back)).toEqual(["a", "b", "c"]);
    expect(await call(vault, "GET", "/keys/b")).toHaveProperty(
      "key.kid",
      expect.stringContaining(String(unpackRecords(back.outs.records).get("b")?.facts.version)),
    );
  });

  it("keep a preview from knowing what becomes of the set", async () => {
    const found = await unreadAfter((name) => tag(name, { site: "north" }));
    expect(isWholeSet(state.outs, state.inputs)).toBe(true);
    expect(isWholeSet(found.outs, state.inputs)).toBe(false);
  });

  it("leave the set as every other does", async () => {
    refuse("b");
    const found = await set.refreshedInPart(state);
    vault.faults.clear();
    nextEngineRun();
    const next = await set.updated(found, { ...args, entries: { a: {}, c: {} }, removed: "delete" });
    expect(namesIn(next)).toEqual(["a", "c"]);
    expect(await call(vault, "GET", "/deletedkeys/b")).toHaveProperty("recoveryId");
  });

  it.each([
    ["swapped", swap],
    ["purged", purge],
  ])("get one version, where the answer to it is lost: %s", async (_what, strike) => {
    const found = await unreadAfter(strike);
    const before = await versionsOf("b");
    vault.faults.add({ kind: "dropAfter", operation: "createKey", name: "b" });
    refuseAfter(2);
    const failed = await set.updated(found, args).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failed?.message).toMatch(/KV_/);
    vault.faults.clear();
    nextEngineRun();
    const back = await set.updated({ ...found, outs: Object(failed).properties }, args);
    expect(await versionsOf("b")).toBe(before + 1);
    expect(await set.drift(back)).toEqual({});
  });

  describe("under ignoreChanges", () => {
    const kept = (from: State) => ({ ...args, keys: from.inputs.keys });

    it.each([
      ["tagged", (name: string) => tag(name, { site: "north" })],
      ["swapped", swap],
    ])("stay as they are found: %s", async (_what, strike) => {
      const found = await unreadAfter(strike);
      nextEngineRun();
      expect(await set.checked(kept(found), found.inputs)).toEqual(found.inputs);
      const next = await set.updated(found, kept(found));
      expect(requestCounts(vault)).not.toHaveProperty("createKey");
      expect(requestCounts(vault)).not.toHaveProperty("updateKey");
      expect(unreadIn(next)).toEqual({});
      const again = await set.refreshed(next);
      expect(again.inputs.keys).not.toHaveProperty("b.version");
    });

    it("take what is changed for all keys, and no other version", async () => {
      await swap("b");
      vault.clock.advance(10_000);
      const found = await set.refreshed(state);
      expect(found.inputs.keys).toHaveProperty("b.version");
      nextEngineRun();
      const next = await set.updated(found, { ...kept(found), onDelete: "retain", expiresOn: "2099-01-01T00:00:00Z" });
      expect(requestCounts(vault)).not.toHaveProperty("createKey");
      expect(await versionsOf("b")).toBe(2);
      expect(await call(vault, "GET", "/keys/b")).toHaveProperty("attributes.exp", 4070908800);
      expect(await set.drift(next)).toEqual({
        keys: expect.not.objectContaining({ b: { version: expect.anything() } }),
      });
    });
  });
});
