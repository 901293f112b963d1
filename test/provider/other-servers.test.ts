import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, keyBackup, secret } from "../../provider/dynamic-v1.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import { type Exchange, type OtherServer, startOtherServer } from "./other-server.js";

type Body = Record<string, unknown> & { key?: Record<string, unknown> };

/** What other servers of the protocol do differently, each as a change of the emulator's answers. */
const habits: Record<string, (body: Body) => Body> = {
  "names another host and port in ids": (body) =>
    JSON.parse(JSON.stringify(body).replaceAll(/https?:\/\/[^/"]+/g, "https://internal.example:8443")),
  "leaves key_ops out": ({ key: bundle, ...rest }) => {
    const { key_ops: _ops, ...others } = bundle ?? {};
    return { ...rest, ...(bundle ? { key: others } : {}) };
  },
  "writes numbers with a leading zero byte": (body) =>
    withNumbers(body, (bytes) => Buffer.concat([Buffer.of(0), bytes])),
  "writes numbers without leading zero bytes": (body) =>
    withNumbers(body, (bytes) => {
      let start = 0;
      while (bytes[start] === 0) start += 1;
      return bytes.subarray(start);
    }),
  "says nothing of recovery": (body) => {
    const { recoveryLevel: _level, recoverableDays: _days, ...attributes } = (body.attributes ?? {}) as Body;
    return { ...body, ...(body.attributes ? { attributes } : {}) };
  },
  "numbers its recovery levels": (body) => ({
    ...body,
    ...(body.attributes ? { attributes: { ...body.attributes, recoveryLevel: 3 } } : {}),
  }),
  "writes SECP256K1": (body) => JSON.parse(JSON.stringify(body).replaceAll('"P-256K"', '"SECP256K1"')),
};

function withNumbers(body: Body, change: (bytes: Buffer) => Buffer): Body {
  const bundle = { ...body.key };
  for (const member of ["n", "x", "y"]) {
    const number = bundle[member];
    if (typeof number === "string") bundle[member] = change(Buffer.from(number, "base64url")).toString("base64url");
  }
  return { ...body, ...(body.key ? { key: bundle } : {}) };
}

describe("a key's life on a server that", () => {
  let vault: Emulator;
  beforeAll(async () => {
    vault = await startEmulator();
  });
  beforeEach(() => startEngineRun(vault));
  afterAll(() => vault.close());

  it.each(Object.entries(habits))("%s", async (_habit, change) => {
    const server = await startOtherServer(vault, ({ status, body }) => ({
      status,
      body: body && status === 200 ? change(body) : body,
    }));
    const vaultUrl = server.url;
    for (const [index, pair] of [rsaKey(), ecKey(), ecKey("secp521r1"), ecKey("secp256k1")].entries()) {
      const name = `key-${index}-${Math.abs(_habit.length)}`;
      const args = {
        ...identity(name),
        vaultUrl,
        name,
        import: { pem: pair.pkcs8 },
        tags: { a: "1" },
        keyOps: ["sign", "verify"],
      };
      const { inputs, failures } = await key.check({}, args);
      expect(failures).toEqual([]);
      const { id, outs } = await key.create(inputs);
      expect(plain((await key.read(id, outs)).inputs)).toEqual(plain(inputs));
      const changed = (await key.check(inputs, { ...args, tags: { a: "2" } })).inputs;
      const updated = await key.update(id, outs, changed);
      expect(plain((await key.read(id, updated.outs)).inputs)).toEqual(plain(changed));
      const again = await key.create(inputs);
      expect(again.outs.version).toBe(outs.version);
      const backup = await keyBackup.create({ vaultUrl, name, version: outs.version });
      expect(backup.outs.digest).toMatch(/^sha256:/);
      nextEngineRun();
      await key.delete(id, outs);
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      expect((await key.read(id, outs)).id).toBe("");
      told.mockRestore();
    }
    server.close();
  });
});

function plain(inputs: object | undefined): object {
  return JSON.parse(JSON.stringify(inputs));
}

describe.each([
  ["key", key, { import: { jwk: ecKey().jwk } }, "keys"],
  ["secret", secret, { value: "a value" }, "secrets"],
] as const)("a %s on a server with refusals of its own", (noun, provider, source, collection) => {
  let vault: Emulator;
  let server: OtherServer;
  let resource: DrivenResource;
  let answer: (exchange: Exchange) => Pick<Exchange, "status" | "body">;

  beforeEach(async () => {
    vault = await startEmulator();
    answer = (exchange) => exchange;
    server = await startOtherServer(vault, (exchange) => answer(exchange));
    resource = new DrivenResource(provider, vault, { vaultUrl: server.url, name: "orders" });
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    server.close();
    await vault.close();
  });

  const error = (code: string, message: string) => ({ error: { code, message } });
  /** Reads of the object itself, by its name or by a version, and not its list of versions. */
  const isRead = ({ method, path }: Exchange): boolean =>
    method === "GET" && new RegExp(`^/${collection}/orders(?:/(?!versions)[^/]*)?$`).test(path);
  const isDisabled = ({ status, body }: Exchange): boolean =>
    status === 403 || (body?.attributes as { enabled?: boolean } | undefined)?.enabled === false;
  const writes = (): string[] => resource.operations().filter((operation) => !operation.startsWith("get"));
  const versionsOf = async (): Promise<number> => {
    const { value } = (await call(vault, "GET", `/${collection}/orders/versions`)) as { value: unknown[] };
    return value.length;
  };

  describe.each<[string, Pick<Exchange, "status" | "body">]>([
    ["403 without an inner code", { status: 403, body: error("Forbidden", "The object is disabled.") }],
    ["404 with a code of its own", { status: 404, body: error("NotFound", "No such object.") }],
    ["404 without a word", { status: 404, body: {} }],
  ])("that hides what is disabled behind %s", (_how, refusal) => {
    const disabled = async () => {
      const state = await resource.created({ ...source, tags: { team: "orders" }, enabled: false });
      answer = (exchange) => (isRead(exchange) && isDisabled(exchange) ? refusal : exchange);
      vault.requests.clear();
      return state;
    };

    it("is refreshed without drift, and is not gone", async () => {
      const state = await disabled();
      expect((await resource.refreshed(state)).id).toBe(state.id);
      expect(await resource.drift(state)).toEqual({});
      expect((await resource.refreshed(state)).outs.version).toBe(state.outs.version);
    });

    it("is told as drift where somebody disabled it", async () => {
      const state = await resource.created(source);
      await call(vault, "PATCH", `/${collection}/orders/${state.outs.version}`, { attributes: { enabled: false } });
      answer = (exchange) => (isRead(exchange) && isDisabled(exchange) ? refusal : exchange);
      expect(await resource.drift(state)).toEqual({ enabled: false });
    });

    it("is not made once more by a create", async () => {
      await disabled();
      nextEngineRun();
      await expect(resource.created({ ...source, tags: { team: "orders" }, enabled: false })).rejects.toThrow(
        new RegExp(`^KV_ALREADY_EXISTS: .*already holds a disabled ${noun}.*cannot be compared`),
      );
      expect(writes()).toEqual([]);
    });

    it("is enabled again, and deleted", async () => {
      const state = await disabled();
      const enabled = await resource.updated(state, { ...source, tags: { team: "orders" } });
      expect(writes()).toEqual([noun === "key" ? "updateKey" : "updateSecret"]);
      expect(await resource.drift(enabled)).toEqual({});
      await resource.deleted(state);
      expect((await resource.refreshed(state)).id).toBe("");
    });
  });

  it("that forbids the object and its list is an error, and not gone", async () => {
    const state = await resource.created(source);
    answer = (exchange) =>
      exchange.path.startsWith(`/${collection}/orders`) ? { status: 403, body: error("Forbidden", "no") } : exchange;
    await expect(resource.refreshed(state)).rejects.toThrow(/^KV_FORBIDDEN/);
  });

  it("that has another code for what is not there, the list of its versions included, is made, and is gone", async () => {
    answer = (exchange) => {
      const isEmptyList = Array.isArray(exchange.body?.value) && exchange.body.value.length === 0;
      return exchange.status === 404 || isEmptyList ? { status: 404, body: error("NotFound", "no") } : exchange;
    };
    const state = await resource.created(source);
    expect(await resource.drift(state)).toEqual({});
    await resource.deleted({ ...state, outs: { ...state.outs, onDelete: "purge" } });
    expect((await resource.refreshed(state)).id).toBe("");
  });

  describe.each<[string, Record<string, unknown>]>([
    ["no inner code", error("Conflict", "The name is taken by a deleted object.")],
    ["another code", error("ObjectInDeletedState", "deleted")],
    ["nothing", {}],
  ])("that says 409 and %s over a soft-deleted one", (_what, body) => {
    const deletedBefore = async (args: Arguments) => {
      const state = await resource.created(args);
      await resource.deleted(state);
      answer = (exchange) => (exchange.status === 409 ? { status: 409, body } : exchange);
      nextEngineRun();
      vault.requests.clear();
      return state;
    };

    it("is recovered, at once and without another version", async () => {
      const { outs } = await deletedBefore(source);
      const before = vault.clock.now();
      const again = await resource.created(source);
      expect(again.outs.version).toBe(outs.version);
      expect(await versionsOf()).toBe(1);
      expect(vault.clock.now() - before).toBeLessThan(10_000);
    });

    it("is refused where the program says so", async () => {
      await deletedBefore(source);
      await expect(resource.created({ ...source, ifSoftDeleted: "fail" })).rejects.toThrow(/^KV_DELETED_RECOVERABLE/);
      expect(writes()).toEqual([noun === "key" ? "importKey" : "setSecret"]);
    });
  });

  it("that says 409 for ever is given up with the server's own words", async () => {
    vault.faults.add({
      kind: "status",
      status: 409,
      code: "Conflict",
      message: "The moon is in the way.",
      method: "PUT",
    });
    await expect(resource.created({ ...source, timeouts: { create: "5m" } })).rejects.toThrow(
      /^KV_TIMEOUT: waited .*the last answer: .*The moon is in the way/,
    );
  });
});
