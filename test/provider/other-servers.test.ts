import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { type Exchange, type OtherServer, startOtherServer } from "./other-server.js";
import { key, secret } from "./providers.js";

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
        new RegExp(`^KV_ALREADY_EXISTS: .*already holds a disabled ${noun}.*does not show whether`),
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
