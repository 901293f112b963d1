import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { cancelRun } from "../../provider/engine/run-cancellation.js";
import { TransportFailure } from "../../provider/keyvault/dispatch.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { codeOf, holdings, LossyConnection, LossyProgram } from "./lossy-run.js";
import { key, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";
const ANOTHERS = { "pulumi-keyvault": "other/prod AAAAAAAAAAAAAAAA" };

let vault: Emulator;
let connection: LossyConnection;
let told: string;

beforeEach(async () => {
  vault = await startEmulator();
  connection = new LossyConnection(vault);
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

/** Nobody listens for some seconds, in which somebody else is busy. */
function whileNobodyListens(operation: string, meanwhile: () => Promise<unknown>): void {
  const refuse = async () => {
    throw new TransportFailure(Object.assign(new Error("no"), { code: "ECONNREFUSED" }), false);
  };
  connection.before.set(operation, async () => {
    await meanwhile();
    connection.before.set(operation, refuse);
    await refuse();
  });
}

/** The service refuses with 429 for some seconds, in which somebody else is busy. */
function whileThrottled(operation: string, meanwhile: () => Promise<unknown>): void {
  connection.before.set(operation, async () => {
    await meanwhile();
    vault.faults.add({ kind: "throttled", operation, times: 3 });
  });
}

const delays = [
  ["nobody listens", whileNobodyListens],
  ["the vault is throttled", whileThrottled],
] as const;

const kinds = [
  {
    collection: "keys",
    provider: key,
    source: (): Arguments => ({ import: { jwk: ecKey().jwk } }),
    make: "importKey",
    patch: "updateKey",
    remove: "deleteKey",
    purge: "purgeDeletedKey",
    recover: "recoverDeletedKey",
    byHand: { path: `/keys/${NAME}/create`, method: "POST", body: { kty: "EC" } },
  },
  {
    collection: "secrets",
    provider: secret,
    source: (): Arguments => ({ value: `value ${crypto.randomUUID()}` }),
    make: "setSecret",
    patch: "updateSecret",
    remove: "deleteSecret",
    purge: "purgeDeletedSecret",
    recover: "recoverDeletedSecret",
    byHand: { path: `/secrets/${NAME}`, method: "PUT", body: { value: "another's" } },
  },
] as const;

describe.each(kinds)(
  "somebody else in $collection",
  ({ collection, provider, source, make, patch, remove, purge, recover, byHand }) => {
    const path = `/${collection}/${NAME}`;
    const deletedPath = `/deleted${collection}/${NAME}`;
    const writes = () => call(vault, byHand.method, byHand.path, { ...byHand.body, tags: ANOTHERS });
    const marks = () => call(vault, "PATCH", path, { tags: ANOTHERS });
    const resource = (more: Arguments = {}) =>
      new DrivenResource(provider, vault, { vaultUrl: vault.url, name: NAME, ...more });

    it.each(delays)("makes the object while %s: nothing is written over it", async (_when, delayed) => {
      const orders = resource();
      delayed(make, writes);
      expect(await orders.created(source()).catch(codeOf)).toBe("KV_ALREADY_EXISTS");
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    });

    it("of the same program declares the object while its deletion looks: it is left alone", async () => {
      const orders = resource({ onDelete: "purge" });
      const given = source();
      const state = await orders.created(given);
      nextEngineRun();
      connection.before.set(collection === "keys" ? "getKey" : "getSecret", async () => {
        connection.before.clear();
        await orders.checked(given);
      });
      await provider.delete(state.id, state.outs);
      expect(told).toMatch(/stays: the program declares it/);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    });

    it.each(delays)("takes the object over while %s: its deletion leaves it alone", async (_when, delayed) => {
      const orders = resource();
      const state = await orders.created(source());
      delayed(remove, marks);
      await orders.deleted(state);
      expect(told).toMatch(/is left alone: stack "other\/prod" owns it/);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    });

    it.each(delays)("takes the object over while %s: it is not disabled", async (_when, delayed) => {
      const orders = resource({ onDelete: "disable" });
      const state = await orders.created(source());
      delayed(patch, marks);
      await orders.deleted(state);
      expect(told).toMatch(/is left alone: stack "other\/prod" owns it/);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    });

    const takesAndDeletes = async () => {
      await call(vault, "POST", `${deletedPath}/recover`);
      await marks();
      await call(vault, "DELETE", path);
    };

    it.each(delays)("takes the deleted object over while %s: it is not purged", async (_when, delayed) => {
      const orders = resource({ onDelete: "purge" });
      const state = await orders.created(source());
      delayed(purge, takesAndDeletes);
      await orders.deleted(state);
      expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
    });

    it.each(delays)("takes the deleted object over while %s: it is not recovered", async (_when, delayed) => {
      const orders = resource();
      const args = source();
      await orders.deleted(await orders.created(args));
      nextEngineRun();
      delayed(recover, takesAndDeletes);
      expect(await orders.created(args).catch(codeOf)).toBe("KV_DELETED_RECOVERABLE");
      expect(await holdings(vault, collection)).toEqual({ [NAME]: "deleted" });
    });

    it("writes while ours is late: the run says so, and the next one finds ours", async () => {
      const program = new LossyProgram(provider, vault, NAME);
      const first = source();
      expect(await program.up(first)).toBeUndefined();
      const second = source();
      vault.faults.add({
        kind: "status",
        status: 502,
        operation: make,
        times: 1,
        commits: "late",
        milliseconds: 7_000,
      });
      connection.before.set(make, writes);
      // The version of the other is seen first, and is not the one that was sent.
      await program.up(second);
      vault.clock.advance(10_000);
      expect(await program.up(second)).toBeUndefined();
      const held = await holdings(vault, collection);
      expect(await program.up(second)).toBeUndefined();
      expect(await holdings(vault, collection)).toEqual(held);
      expect(Number(held[NAME])).toBeLessThanOrEqual(3);
    });

    it("is not there, and the look for a lost write is refused: the run says what is not known", async () => {
      const program = new LossyProgram(provider, vault, NAME);
      const args = source();
      vault.faults.add({ kind: "status", status: 502, operation: make, times: 1, commits: "first" });
      connection.before.set(make, async () => {
        vault.faults.add({ kind: "status", status: 403, code: "Forbidden", innerCode: "AccessDenied", method: "GET" });
      });
      expect(await program.up(args)).toBe("KV_UNCERTAIN");
      vault.faults.clear();
      expect(await program.up(args)).toBeUndefined();
      expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
    });

    it.each([
      ["busy", "conflict"],
      ["throttled", "throttled"],
    ] as const)("a run that is cancelled does not wait for a %s vault", async (_what, kind) => {
      const program = new LossyProgram(provider, vault, NAME);
      vault.faults.add({ kind, operation: make });
      connection.before.set(make, async () => {
        connection.before.set(make, async () => cancelRun());
      });
      expect(await program.up(source())).toBe("KV_TIMEOUT");
      expect(connection.sent.filter((operation) => operation === make).length).toBeLessThanOrEqual(2);
      expect(await holdings(vault, collection)).toEqual({});
    });
  },
);
