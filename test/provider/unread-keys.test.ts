import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
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

const unreadIn = ({ outs }: State): Record<string, string> =>
  Object.fromEntries(
    [...unpackRecords(outs.records)].flatMap(([name, { unread }]) => (unread === undefined ? [] : [[name, unread]])),
  );
const namesIn = ({ outs }: State): string[] => [...unpackRecords(outs.records).keys()];

const tag = (name: string, tags: Record<string, string>) => call(vault, "PATCH", `/keys/${name}`, { tags });

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

  it("leave the set as every other does", async () => {
    refuse("b");
    const found = await set.refreshedInPart(state);
    vault.faults.clear();
    nextEngineRun();
    const next = await set.updated(found, { ...args, entries: { a: {}, c: {} }, removed: "delete" });
    expect(namesIn(next)).toEqual(["a", "c"]);
    expect(await call(vault, "GET", "/deletedkeys/b")).toHaveProperty("recoveryId");
  });

  it("are no matter of the program's, where ignoreChanges hands on what state holds", async () => {
    refuse("b");
    const found = await set.refreshedInPart(state);
    const inputs = await set.checked({ ...args, keys: found.inputs.keys }, found.inputs);
    expect(inputs.keys).toEqual({ a: {}, b: {}, c: {} });
  });
});
