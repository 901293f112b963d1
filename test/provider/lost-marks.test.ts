import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, type FaultRule, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { holdings, LossyConnection } from "./lossy-run.js";
import { key, secret } from "./providers.js";
import { stored } from "./stored.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";
let vault: Emulator;
let told: string;

beforeEach(async () => {
  vault = await startEmulator();
  const connection = new LossyConnection(vault);
  wire.connect = () => connection.client;
  told = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    told += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

const losses: [string, Omit<FaultRule, "operation">][] = [
  ["is lost before it", { kind: "drop" }],
  ["is lost after it", { kind: "drop", commits: "late", milliseconds: 50_000 }],
];

describe.each([
  [
    "keys",
    { provider: key, type: "Key", patch: "updateKey", source: (): Arguments => ({ import: { jwk: ecKey().jwk } }) },
  ],
  [
    "secrets",
    {
      provider: secret,
      type: "Secret",
      patch: "updateSecret",
      source: (): Arguments => ({ value: `v ${crypto.randomUUID()}` }),
    },
  ],
] as const)("a rename without an alias in %s", (collection, { provider, type, patch, source }) => {
  /** A run in which the new name takes the object over, and the answer to the request that marks it is lost. */
  const renamed = async (rule: Omit<FaultRule, "operation">) => {
    const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: NAME });
    const args = source();
    const before = { ...args, ...identity("before", type) };
    const after = { ...args, ...identity("after", type) };
    const old = await resource.created(before);
    nextEngineRun();
    vault.faults.add({ ...rule, operation: patch, times: 1 });
    const inputs = await resource.checked(after);
    const failure = await provider.create(inputs).then(
      () => undefined,
      (error: Error & { id: string; properties: Arguments }) => error,
    );
    if (failure === undefined) throw new Error("the new name has taken the object over");
    expect(failure.message).toMatch(/^KV_UNCERTAIN/);
    vault.clock.advance(60_000);
    nextEngineRun();
    const incomplete: State = { id: failure.id, inputs, outs: stored(failure.properties) };
    return { resource, before, after, old, incomplete };
  };

  it.each(losses)(
    "whose mark %s: the next run marks it, and the one that removes it deletes it",
    async (_how, rule) => {
      const { resource, after, old, incomplete } = await renamed(rule);
      // The engine goes on with what was incomplete, and then lets the old name go.
      await provider.diff(incomplete.id, incomplete.outs, incomplete.inputs);
      const repaired = await resource.updated(incomplete, after);
      await provider.delete(old.id, old.outs);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
      expect(repaired.outs).not.toHaveProperty("formerToken");
      expect(await resource.drift(repaired)).toEqual({});
      await resource.deleted(repaired);
      expect(told).not.toMatch(/left alone/);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
    },
  );

  it.each(losses)("whose mark %s: both names go, and so does the object", async (_how, rule) => {
    const { resource, old, incomplete } = await renamed(rule);
    await resource.deleted(incomplete);
    await resource.deleted(old);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
  });

  it.each(losses)("whose mark %s, and which is taken back: the old name goes on as before", async (_how, rule) => {
    const { resource, before, old, incomplete } = await renamed(rule);
    await resource.checked(before, old.inputs);
    await provider.diff(old.id, old.outs, old.inputs);
    await provider.delete(incomplete.id, incomplete.outs);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    await resource.deleted(old);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
  });
});
