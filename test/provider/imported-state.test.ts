import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { importKey } from "../../provider/key/adopt-key.js";
import { importSecret } from "../../provider/secret/adopt-secret.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";
import { stored } from "./stored.js";

const OTHER = { "pulumi-keyvault": "other/dev AAAAAAAAAAAAAAAA" };
const LATER = { "pulumi-keyvault": "third/dev BBBBBBBBBBBBBBBB" };

describe.each([
  ["key", "keys", key, { key: ecKey().jwk }, importKey],
  ["secret", "secrets", secret, { value: "a value" }, importSecret],
] as const)(
  "a %s that an import file or `pulumi import` has brought into state",
  (_noun, path, provider, body, read) => {
    let vault: Emulator;
    let resource: DrivenResource;
    let told: string;

    beforeEach(async () => {
      vault = await startEmulator();
      resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders", adopt: true });
      told = "";
      vi.spyOn(process.stdout, "write").mockImplementation((text) => {
        told += text;
        return true;
      });
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await vault.close();
    });

    const imported = async (tags: Record<string, string>): Promise<State> => {
      await call(vault, "PUT", `/${path}/orders`, { ...body, tags });
      const { id, inputs, outputs } = await read(`${vault.url}/${path}/orders`);
      nextEngineRun();
      return { id, inputs: stored(inputs), outs: stored(outputs) };
    };
    const tags = async () => (Object((await call(vault, "GET", `/${path}/orders`)) as Arguments) as Arguments).tags;
    const mark = async (change: Record<string, string>) => {
      const { version } = (await provider.read(`${vault.url}/${path}/orders`, { vaultUrl: vault.url, name: "orders" }))
        .props as { version: string };
      await call(vault, "PATCH", `/${path}/orders/${version}`, { tags: change });
    };
    const isThere = () =>
      call(vault, "GET", `/${path}/orders`).then(
        () => true,
        () => false,
      );
    const deleting = (state: State): State => ({ ...state, outs: { ...state.outs, onDelete: "delete" } });
    const ours = { "pulumi-keyvault": expect.stringMatching(/^shop\/prod /) };

    it("is without a mark until the first write of its tags, which puts it there", async () => {
      const state = await imported({ team: "a" });
      expect(await resource.drift(state)).toEqual({});
      expect(await tags()).toEqual({ team: "a" });
      const next = await resource.updated(await resource.refreshed(state), { tags: { team: "b" } });
      expect(await tags()).toEqual({ team: "b", ...ours });
      await resource.deleted(next);
      expect(await isThere()).toBe(false);
    });

    it("stays when it goes, as the import says, and is this state's to delete where the program does", async () => {
      const state = await imported({});
      await resource.deleted(state);
      expect(await isThere()).toBe(true);
      await resource.deleted(deleting(state));
      expect(await isThere()).toBe(false);
    });

    it("is refused to a second stack that creates it, and taken by one that adopts it: the first leaves it alone then", async () => {
      const state = await imported({ team: "a" });
      const second = identity("orders", undefined, { project: "other", stack: "dev" });
      const source = path === "keys" ? { import: { jwk: ecKey().jwk } } : { value: "a value" };
      await expect(resource.created({ ...second, ...source, adopt: undefined })).rejects.toThrow(
        /^KV_ALREADY_EXISTS: .*no owner tag says that it is this stack's.*adopt: true/,
      );
      nextEngineRun();
      await resource.created(second);
      expect(await tags()).toEqual({ team: "a", "pulumi-keyvault": expect.stringMatching(/^other\/dev /) });
      nextEngineRun();
      const next = await resource.updated(state, { tags: { team: "b" } });
      expect(await tags()).toEqual({ team: "b", "pulumi-keyvault": expect.stringMatching(/^other\/dev /) });
      expect(told).toMatch(/keeps the mark of stack "other\/dev"/);
      await resource.deleted(next);
      expect(told).toMatch(/is left alone: stack "other\/dev" owns it/);
      expect(await isThere()).toBe(true);
    });

    it("is taken from the stack whose mark it had when it was brought in, by the first write of its tags", async () => {
      const state = await imported({ team: "a", ...OTHER });
      const refreshed = await resource.refreshed(state);
      const next = await resource.updated(refreshed, { tags: { team: "b" } });
      expect(told).toMatch(/was owned by stack "other\/dev", and is adopted by this resource/);
      expect(await tags()).toEqual({ team: "b", ...ours });
      await resource.deleted(next);
      expect(await isThere()).toBe(false);
    });

    it("is left alone before that write, and where a third stack has marked it since", async () => {
      const state = await imported({ team: "a", ...OTHER });
      await resource.deleted(deleting(state));
      expect(told).toMatch(/is left alone: stack "other\/dev" owns it/);
      await mark({ team: "a", ...LATER });
      nextEngineRun();
      const next = await resource.updated(state, { tags: { team: "b" } });
      expect(await tags()).toEqual({ team: "b", ...LATER });
      await resource.deleted(deleting(next));
      expect(await isThere()).toBe(true);
    });
  },
);
