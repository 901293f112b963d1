import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { keyClient, secretClient } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { holdings, LossyConnection } from "./lossy-run.js";
import { key, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (_url: string): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({
  vaultClient: async (vaultUrl: string) => wire.connect(vaultUrl),
}));

const NAME = "orders";
const keySource = (): Arguments => ({ import: { jwk: ecKey().jwk } });
const secretSource = (): Arguments => ({ value: `value ${crypto.randomUUID()}` });

const kinds = [
  ["keys", { provider: key, type: "Key", write: "importKey", source: keySource, properties: keysOf }],
  ["secrets", { provider: secret, type: "Secret", write: "setSecret", source: secretSource, properties: secretsOf }],
] as const;

function keysOf(vault: Emulator): AsyncIterable<{ name: string }> {
  return keyClient(vault).listPropertiesOfKeys();
}

function secretsOf(vault: Emulator): AsyncIterable<{ name: string }> {
  return secretClient(vault).listPropertiesOfSecrets();
}

describe.each(kinds)("parallel writers of %s", (collection, { provider, type, write, source, properties }) => {
  let vault: Emulator;
  let told: string;

  beforeEach(async () => {
    vault = await startEmulator();
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

  /** One stack with one resource, that has the name's look behind it when `beforeWrite` runs. */
  const writer = (stack: string, beforeWrite?: () => Promise<unknown>) => {
    const connection = new LossyConnection(vault);
    if (beforeWrite) connection.before.set(write, beforeWrite);
    const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: NAME });
    const mine = source();
    const create = async (args: Arguments = mine): Promise<State> => {
      wire.connect = () => connection.client;
      nextEngineRun();
      return resource.created({ ...identity(NAME, type, { project: "shop", stack }), ...args });
    };
    return { resource, create };
  };

  it("that all found the name free: one wins, and the others are told who has it", async () => {
    // The service refuses parallel writes to one name with 409: the first goes through.
    vault.faults.add({ kind: "conflict", operation: write, after: 1, times: 7 });
    const outcomes: string[] = [];
    let next: (() => Promise<unknown>) | undefined;
    for (let at = 8; at > 0; at--) {
      const { create } = writer(`stack-${at}`, next);
      next = async () => {
        outcomes.push(
          await create().then(
            () => `stack-${at} has it`,
            (error: Error) => error.message,
          ),
        );
      };
    }
    await next?.();
    const [winner, ...losers] = outcomes;
    expect(winner).toBe("stack-8 has it");
    expect(losers).toHaveLength(7);
    for (const loser of losers) expect(loser).toMatch(/^KV_ALREADY_EXISTS: .*stack "shop\/stack-8" owns it/);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
  });

  it("that the service lets through one after the other: the destroy of the one whose mark was overwritten leaves the object alone", async () => {
    const second = writer("second");
    let overwritten: State | undefined;
    const first = writer("first", async () => {
      overwritten = await second.create();
    });
    const standing = await first.create();
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 2 });
    if (overwritten === undefined) throw new Error("the second stack made nothing");
    expect(Object.keys(await second.resource.drift(overwritten))).not.toEqual([]);
    await second.resource.deleted(overwritten);
    expect(told).toMatch(/is left alone: stack "shop\/first" owns it/);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 2 });
    await first.resource.deleted(standing);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
  });

  it("in two stacks that claim one object: the second is refused until it adopts, and then the first lets go", async () => {
    const first = writer("first");
    const state = await first.create();
    const second = writer("second");
    await expect(second.create()).rejects.toThrow(/^KV_ALREADY_EXISTS: .*stack "shop\/first" owns it/);
    const adopted = await second.create({ adopt: true });
    await first.resource.deleted(state);
    expect(told).toMatch(/is left alone: stack "shop\/second" owns it/);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    await second.resource.deleted(adopted);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
  });

  it("of 64 resources of one program make one version each", async () => {
    const connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url });
    const names = Array.from({ length: 64 }, (_, at) => `orders-${String(at).padStart(2, "0")}`);
    await Promise.all(names.map((name) => resource.created({ name, ...source() })));
    expect(connection.sent.filter((operation) => operation === write)).toHaveLength(64);
    const there: string[] = [];
    for await (const { name } of properties(vault)) there.push(name);
    expect(there.sort()).toEqual(names);
  });
});
