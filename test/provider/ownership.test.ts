import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { configureVaultSettings } from "../../provider/engine/vault-settings.js";
import { ownerToken } from "../../provider/object/owner-tag.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient, secretClient } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity as identityOf, nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

interface Found {
  tags?: Record<string, string>;
  version?: string;
  enabled?: boolean;
}

interface Kind {
  provider: typeof key;
  /** Two sources whose objects can be told apart. */
  source: Arguments;
  other: Arguments;
  found(vault: Emulator, name: string): Promise<Found>;
  versions(vault: Emulator, name: string): AsyncIterable<unknown>;
  tag(vault: Emulator, name: string, tags: Record<string, string>): Promise<unknown>;
  remove(vault: Emulator, name: string): Promise<{ pollUntilDone(): Promise<unknown> }>;
  /** The first writes of another program, which marks nothing. */
  occupy(vault: Emulator, name: string): Promise<unknown>;
}

const jwk = ecKey().jwk;
const imported = (members: Record<string, string>) => ({
  kty: "EC" as const,
  crv: "P-256" as const,
  ...Object.fromEntries(
    ["x", "y", "d"].map((member) => [member, new Uint8Array(Buffer.from(members[member] ?? "", "base64url"))]),
  ),
});

const kinds: [string, Kind][] = [
  [
    "key",
    {
      provider: key,
      source: { import: { jwk } },
      other: { import: { jwk: ecKey().jwk } },
      found: async (vault, name) => (await keyClient(vault).getKey(name)).properties,
      versions: (vault, name) => keyClient(vault).listPropertiesOfKeyVersions(name),
      tag: (vault, name, tags) => keyClient(vault).updateKeyProperties(name, { tags }),
      remove: (vault, name) => keyClient(vault).beginDeleteKey(name, { intervalInMs: 1 }),
      occupy: (vault, name) => keyClient(vault).importKey(name, imported(jwk)),
    },
  ],
  [
    "secret",
    {
      provider: secret,
      source: { value: "a value" },
      other: { value: "another value" },
      found: async (vault, name) => (await secretClient(vault).getSecret(name)).properties,
      versions: (vault, name) => secretClient(vault).listPropertiesOfSecretVersions(name),
      tag: async (vault, name, tags) => {
        const { version = "" } = (await secretClient(vault).getSecret(name)).properties;
        return secretClient(vault).updateSecretProperties(name, version, { tags });
      },
      remove: (vault, name) => secretClient(vault).beginDeleteSecret(name, { intervalInMs: 1 }),
      occupy: (vault, name) => secretClient(vault).setSecret(name, "a value"),
    },
  ],
];

const OTHER_STACK = { project: "shop", stack: "dev" };

describe.each(kinds)("the owner of a %s", (noun, kind) => {
  const className = noun === "key" ? "Key" : "Secret";
  const identity = (name: string, stack?: typeof OTHER_STACK) => identityOf(name, className, stack);
  const tokenOf = (name: string, stack?: typeof OTHER_STACK): string => ownerToken(identity(name, stack).owner.urn);
  const tagOf = (name: string, stack = { project: "shop", stack: "prod" }): string =>
    `${stack.project}/${stack.stack} ${tokenOf(name, stack)}`;
  let vault: Emulator;
  let resource: DrivenResource;
  let told: string;
  let warned: string;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(kind.provider, vault, { vaultUrl: vault.url, name: "orders" }, className);
    told = "";
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      told += text;
      return true;
    });
    warned = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      warned += text;
      return true;
    });
  });
  afterEach(async () => {
    configureVaultSettings({ get: () => undefined });
    vi.restoreAllMocks();
    await vault.close();
  });

  const found = (name = "orders"): Promise<Found> => kind.found(vault, name);
  const versions = async (name = "orders"): Promise<number> => {
    let count = 0;
    for await (const _version of kind.versions(vault, name)) count += 1;
    return count;
  };
  /** Made by a run before this one. */
  const createdBefore = async (args: Arguments): Promise<State> => {
    const state = await resource.created(args);
    nextEngineRun();
    vault.requests.clear();
    return state;
  };
  const writes = (): string[] => resource.operations().filter((operation) => !operation.startsWith("get"));
  const sourceOf = (tags: Record<string, string> = {}) => ({ ...kind.source, tags });

  describe("is told by a tag", () => {
    it("that names project, stack and a token from the URN, and is no tag of the program's", async () => {
      const state = await resource.created(sourceOf({ team: "orders" }));
      expect((await found()).tags).toEqual({ team: "orders", "pulumi-keyvault": tagOf("orders") });
      expect(state.outs).toMatchObject({ tags: { team: "orders" }, ownerToken: tokenOf("orders") });
      expect(await resource.drift(state)).toEqual({});
    });

    it("whose token stays when the resource has an alias and another URN", async () => {
      const state = await createdBefore(sourceOf());
      const args = { ...identity("renamed"), ...sourceOf({ team: "orders" }) };
      const updated = await resource.updated(state, args);
      expect(writes()).toEqual([noun === "key" ? "updateKey" : "updateSecret"]);
      expect((await found()).tags?.["pulumi-keyvault"]).toBe(tagOf("orders"));
      expect(updated.outs.ownerToken).toBe(tokenOf("orders"));
    });

    it("that a new version carries too", async () => {
      const state = await createdBefore(sourceOf());
      await resource.updated(state, kind.other);
      expect(await versions()).toBe(2);
      expect((await found()).tags).toEqual({ "pulumi-keyvault": tagOf("orders") });
    });

    it("whose loss is no drift, and is repaired with the next write", async () => {
      const state = await createdBefore(sourceOf({ team: "orders" }));
      await kind.tag(vault, "orders", { team: "orders" });
      expect(await resource.drift(state)).toEqual({});
      const updated = await resource.updated(await resource.refreshed(state), sourceOf({ team: "billing" }));
      expect(writes()).toHaveLength(1);
      expect((await found()).tags).toEqual({ team: "billing", "pulumi-keyvault": tagOf("orders") });
      expect(updated.outs.ownerToken).toBe(tokenOf("orders"));
    });

    it("beside which the program has 14", async () => {
      const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, "x"]));
      expect(await resource.refused({ ...kind.source, tags: tags(15) })).toMatch(
        /at most 14 are the program's: one says who owns the object.*ownerTag: "false"/,
      );
      await resource.created({ ...kind.source, tags: tags(14) });
      expect(Object.keys((await found()).tags ?? {})).toHaveLength(15);
    });

    it("which the program cannot set", async () => {
      expect(await resource.refused(sourceOf({ "pulumi-keyvault": "mine" }))).toMatch(/not the program's to set/);
    });

    it("for which an object with 15 tags from before has no room, and goes on without", async () => {
      configureVaultSettings({ get: (name) => (name === "keyvault:ownerTag" ? "false" : undefined) });
      const tags = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`t${i}`, "x"]));
      const state = await createdBefore({ ...kind.source, tags });
      configureVaultSettings({ get: () => undefined });
      await resource.updated(state, { ...kind.source, tags: { ...tags, t0: "y" } });
      expect((await found()).tags).toEqual({ ...tags, t0: "y" });
    });

    it("and by none where the stack turns it off", async () => {
      configureVaultSettings({ get: (name) => (name === "keyvault:ownerTag" ? "false" : undefined) });
      const state = await createdBefore(sourceOf({ team: "orders" }));
      expect((await found()).tags).toEqual({ team: "orders" });
      expect(state.outs).not.toHaveProperty("ownerToken");
      await expect(resource.created(sourceOf({ team: "orders" }))).rejects.toThrow(/already holds a/);
    });
  });

  describe("lets a create take over", () => {
    it("what this very resource made in a run that was cut off, with a mark that is in no other state", async () => {
      const { outs } = await createdBefore(sourceOf());
      const again = await resource.created(sourceOf());
      expect(again.outs.version).toBe(outs.version);
      expect(writes()).toEqual([expect.stringMatching(/^update/)]);
      expect(told).toMatch(/is of an earlier run of this resource, and is taken over/);
      const mark = `${tagOf("orders")}~${String(again.outs.ownerToken).split("~")[1]}`;
      expect((await found()).tags).toEqual({ "pulumi-keyvault": mark });
    });

    it("once more where that run is cut off too", async () => {
      const { outs } = await createdBefore(sourceOf());
      const tokens = [outs.ownerToken];
      for (const _run of [2, 3]) {
        nextEngineRun();
        const again = await resource.created(sourceOf());
        expect(again.outs.version).toBe(outs.version);
        tokens.push(again.outs.ownerToken);
      }
      expect(new Set(tokens).size).toBe(3);
      expect(await versions()).toBe(1);
    });

    it("what another resource of the stack made, with its own mark and a word", async () => {
      const { outs } = await createdBefore({ ...identity("old"), ...sourceOf() });
      const taken = await resource.created({ ...identity("new"), ...sourceOf() });
      expect(taken.outs).toMatchObject({ version: outs.version, ownerToken: tokenOf("new") });
      expect((await found()).tags).toEqual({ "pulumi-keyvault": tagOf("new") });
      expect(told).toMatch(/belonged to another resource of this stack, and is taken over/);
    });

    it("nothing of this stack's that was made of another source", async () => {
      await createdBefore({ ...identity("old"), ...kind.other });
      await expect(resource.created({ ...identity("new"), ...sourceOf() })).rejects.toThrow(
        /^KV_ALREADY_EXISTS: .*which this stack made for another source.*alias/,
      );
      expect(await versions()).toBe(1);
      expect(writes()).toEqual([]);
    });

    it("nothing of another stack's, of the same source or not, and names that stack", async () => {
      await createdBefore({ ...identity("orders", OTHER_STACK), ...sourceOf({ team: "theirs" }) });
      for (const source of [kind.source, kind.other]) {
        await expect(resource.created(source)).rejects.toThrow(
          /^KV_ALREADY_EXISTS: .*stack "shop\/dev" owns it: set adopt: true/,
        );
      }
      expect((await found()).tags).toEqual({ team: "theirs", "pulumi-keyvault": tagOf("orders", OTHER_STACK) });
      expect(await versions()).toBe(1);
      expect(writes()).toEqual([]);
    });

    it("nothing that no tag says to be this stack's, not even of the same source", async () => {
      await kind.occupy(vault, "orders");
      vault.requests.clear();
      await expect(resource.created(sourceOf())).rejects.toThrow(
        /^KV_ALREADY_EXISTS: .*no owner tag says that it is this stack's.*adopt: true/,
      );
      expect(await versions()).toBe(1);
      expect(writes()).toEqual([]);
    });

    it("what nobody has marked and state records, as a refresh of this run has seen, and marks it", async () => {
      const state = await createdBefore(sourceOf());
      await kind.tag(vault, "orders", {});
      const { ownerToken: _token, ...unmarked } = state.outs;
      await resource.refreshed({ ...state, outs: unmarked });
      vault.requests.clear();
      await expect(resource.created({ ...kind.other, onDelete: "purge" })).rejects.toThrow(/^KV_ALREADY_EXISTS/);
      expect(writes()).toEqual([]);
      const again = await resource.created(sourceOf());
      expect(told).toMatch(/has no mark, and state records it: it is taken over/);
      expect(again.outs).toMatchObject({ version: state.outs.version, ownerToken: tokenOf("orders") });
      expect(writes()).toEqual([expect.stringMatching(/^update/)]);
      expect(await versions()).toBe(1);
    });

    it("nothing that another tool has marked with a tag of that name", async () => {
      await kind.occupy(vault, "orders");
      await kind.tag(vault, "orders", { "pulumi-keyvault": "hands off" });
      await expect(resource.created(sourceOf())).rejects.toThrow(/somebody else \(tag pulumi-keyvault: "hands off"\)/);
    });

    it("what another stack owns where the program adopts it, told and marked anew", async () => {
      await createdBefore({ ...identity("orders", OTHER_STACK), ...sourceOf({ team: "theirs" }) });
      const { outs } = await resource.created({ adopt: true });
      expect(told).toMatch(/was owned by stack "shop\/dev", and is adopted by this resource/);
      expect((await found()).tags).toEqual({ team: "theirs", "pulumi-keyvault": tagOf("orders") });
      expect(outs).toMatchObject({ found: { tags: { team: "theirs" } }, ownerToken: tokenOf("orders") });
    });

    it("what nobody has marked where the program adopts it, as it is and with a mark", async () => {
      await kind.occupy(vault, "orders");
      await kind.tag(vault, "orders", { team: "theirs" });
      const { outs } = await resource.created({ adopt: true });
      expect((await found()).tags).toEqual({ team: "theirs", "pulumi-keyvault": tagOf("orders") });
      expect(outs).toMatchObject({ found: { tags: { team: "theirs" } }, ownerToken: tokenOf("orders") });
    });

    it("what it may only read and adopts, without a mark and with a word", async () => {
      await kind.occupy(vault, "orders");
      vault.faults.add({ kind: "status", status: 403, operation: noun === "key" ? "updateKey" : "updateSecret" });
      const { outs } = await resource.created({ adopt: true });
      expect(outs).not.toHaveProperty("ownerToken");
      expect(told).toMatch(/is adopted without an owner tag, since it may not be changed/);
    });

    describe("and where all 15 tags are taken by others", () => {
      const theirs = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`t${index}`, "x"]));

      beforeEach(async () => {
        await kind.occupy(vault, "orders");
        await kind.tag(vault, "orders", theirs);
        vault.requests.clear();
      });

      it("adopts without a mark, and warns of it", async () => {
        const { outs } = await resource.created({ adopt: true });
        expect(outs).not.toHaveProperty("ownerToken");
        expect(warned).toContain(`${noun} "orders" in ${vault.url} has no owner tag, since others have all 15 tags`);
        expect(warned.match(/docs\/ownership\.md/g)).toHaveLength(1);
        expect(writes()).toEqual([]);
        expect((await found()).tags).toEqual(theirs);
      });

      it.each(["answered", "lost"])(
        "makes a version of the program's source without a mark, its answer %s",
        async (answer) => {
          const state = await resource.created({ adopt: true });
          if (answer === "lost")
            vault.faults.add({ kind: "dropAfter", operation: noun === "key" ? "importKey" : "setSecret" });
          await resource.updated(state, { adopt: true, ...kind.other });
          expect(await versions()).toBe(2);
          expect((await found()).tags).toEqual(theirs);
        },
      );

      it("marks it with the program's tags once one has gone", async () => {
        const state = await resource.created({ adopt: true });
        await kind.tag(vault, "orders", { t0: "x" });
        const updated = await resource.updated(await resource.refreshed(state), { adopt: true, tags: { t0: "y" } });
        expect((await found()).tags).toEqual({ t0: "y", "pulumi-keyvault": tagOf("orders") });
        expect(updated.outs.ownerToken).toBe(tokenOf("orders"));
      });
    });

    describe("and after a rename of the stack", () => {
      const renamed = { project: "shop", stack: "renamed" };
      const lost = async (): Promise<State> => {
        const state = await createdBefore(sourceOf());
        await (await kind.remove(vault, "orders")).pollUntilDone();
        return state;
      };

      it("what is soft-deleted, where a refresh of the same run has told of it", async () => {
        const state = await lost();
        expect((await resource.refreshed(state)).id).toBe("");
        const back = await resource.created({ ...identity("orders", renamed), ...sourceOf() });
        expect(back.outs.version).toBe(state.outs.version);
        expect((await found()).tags?.["pulumi-keyvault"]).toBe(tagOf("orders", renamed));
        expect(await versions()).toBe(1);
      });

      it("what is soft-deleted, with adopt: true, where the stack has gone on without it, as the refresh says", async () => {
        await resource.refreshed(await lost());
        expect(told).toMatch(/the stack was renamed and has gone on without it: then with adopt: true/);
        nextEngineRun();
        const args = identity("orders", renamed);
        await expect(resource.created({ ...args, ...sourceOf() })).rejects.toThrow(/^KV_DELETED_RECOVERABLE/);
        await resource.created({ ...args, adopt: true });
        expect((await found()).tags?.["pulumi-keyvault"]).toBe(tagOf("orders", renamed));
      });

      it("and nothing without a mark that has come in its place meanwhile", async () => {
        const state = await lost();
        await resource.refreshed(state);
        await call(vault, "DELETE", `/deleted${noun}s/orders`);
        await vi.waitFor(() => kind.occupy(vault, "orders"));
        await expect(resource.created({ ...identity("orders", renamed), ...kind.other })).rejects.toThrow(
          /^KV_ALREADY_EXISTS: .*no owner tag/,
        );
        expect(await versions()).toBe(1);
      });

      it("and nothing that another stack has marked before it was deleted", async () => {
        const state = await createdBefore(sourceOf());
        await kind.tag(vault, "orders", { "pulumi-keyvault": tagOf("orders", OTHER_STACK) });
        await (await kind.remove(vault, "orders")).pollUntilDone();
        await resource.refreshed(state);
        await expect(resource.created({ ...identity("orders", renamed), ...sourceOf() })).rejects.toThrow(
          /^KV_DELETED_RECOVERABLE: .*stack "shop\/dev" owns it/,
        );
      });
    });

    it("no soft-deleted one that another stack owns", async () => {
      await createdBefore({ ...identity("orders", OTHER_STACK), ...sourceOf() });
      await (await kind.remove(vault, "orders")).pollUntilDone();
      await expect(resource.created(sourceOf())).rejects.toThrow(
        /^KV_DELETED_RECOVERABLE: .*stack "shop\/dev" owns it.*adopt: true/,
      );
      await expect(found()).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  describe("that another stack has adopted since, and changed,", () => {
    const theirs = { "pulumi-keyvault": "other/dev AAAAAAAAAAAAAAAA" };
    const args = { ...kind.source, tags: { team: "ours" } };
    const lost = async (): Promise<State> => {
      const state = await createdBefore(args);
      await kind.tag(vault, "orders", { team: "theirs", ...theirs });
      return resource.refreshed(state);
    };

    it("keeps the other's mark in what the former one writes, and is left alone where that one goes", async () => {
      const state = await resource.updated(await lost(), args);
      expect((await kind.found(vault, "orders")).tags).toEqual({ team: "ours", ...theirs });
      expect(told).toMatch(/keeps the mark of stack "other\/dev"/);
      expect(await resource.drift(state)).toEqual({});
      const next = await resource.updated(state, { ...kind.other, tags: { team: "ours" } });
      expect((await kind.found(vault, "orders")).tags).toEqual({ team: "ours", ...theirs });
      nextEngineRun();
      await resource.deleted(next);
      expect(told).toMatch(/is left alone: stack "other\/dev" owns it by its tag/);
      expect(await kind.found(vault, "orders")).toMatchObject({ enabled: true });
    });

    describe("and no refresh has seen it,", () => {
      const unseen = async (): Promise<State> => {
        const state = await createdBefore(args);
        await kind.tag(vault, "orders", { team: "theirs", ...theirs });
        vault.requests.clear();
        return state;
      };
      const [get, patch, put] =
        noun === "key" ? ["getKey", "updateKey", "importKey"] : ["getSecret", "updateSecret", "setSecret"];

      it.each([
        ["tags are written", { ...args, tags: { team: "others" } }, [get, patch], { team: "others" }],
        ["other attributes are written", { ...args, notBefore: "2030-01-01T00:00:00Z" }, [patch], { team: "theirs" }],
        ["a version is made", { ...kind.other, tags: { team: "ours" } }, [get, put], { team: "ours" }],
      ])("keeps the other's mark where %s, and is left alone where it goes", async (_what, next, requests, tags) => {
        const state = await resource.updated(await unseen(), next);
        expect(resource.operations()).toEqual(requests);
        expect((await found()).tags).toEqual({ ...tags, ...theirs });
        expect(told.match(/keeps the mark of stack "other\/dev"/g)).toHaveLength(1);
        expect(state.outs).toMatchObject({ otherMark: theirs["pulumi-keyvault"], ownerToken: tokenOf("orders") });
        await resource.deleted(state);
        expect(told).toMatch(/is left alone: stack "other\/dev" owns it by its tag/);
        expect(await found()).toMatchObject({ enabled: true });
      });

      it("keeps it where state knows no mark of its own", async () => {
        const { outs, ...state } = await unseen();
        const { ownerToken: _unknown, ...unmarked } = outs;
        const next = await resource.updated({ ...state, outs: unmarked }, { ...args, tags: { team: "others" } });
        expect((await found()).tags).toEqual({ team: "others", ...theirs });
        await resource.deleted(next);
        expect(await found()).toMatchObject({ enabled: true });
      });

      it("keeps a mark that this version cannot read", async () => {
        const state = await unseen();
        await kind.tag(vault, "orders", { "pulumi-keyvault": "v2: who knows" });
        const next = await resource.updated(state, { ...args, tags: { team: "others" } });
        expect((await found()).tags).toEqual({ team: "others", "pulumi-keyvault": "v2: who knows" });
        expect(told).toMatch(/keeps the mark of somebody else/);
        await resource.deleted(next);
        expect(await found()).toMatchObject({ enabled: true });
      });

      it("keeps the mark of this stack's former name for its own", async () => {
        const state = await createdBefore(args);
        const prod = { ...args, tags: { team: "others" } };
        const renamed = await resource.updated(state, { ...identity("orders", OTHER_STACK), ...prod });
        expect((await found()).tags?.["pulumi-keyvault"]).toBe(`shop/dev ${tokenOf("orders")}`);
        expect(told).not.toMatch(/keeps the mark/);
        await resource.deleted(renamed);
        await expect(found()).rejects.toMatchObject({ statusCode: 404 });
      });
    });

    it("comes back with adopt: true alone, and keeps what is left to the vault", async () => {
      const before = await createdBefore({ ...kind.source, tags: { team: "theirs" } });
      await kind.tag(vault, "orders", { team: "theirs", ...theirs });
      const state = await resource.updated(await resource.refreshed(before), { adopt: true });
      expect((await found()).tags).toEqual({ team: "theirs", "pulumi-keyvault": tagOf("orders") });
      nextEngineRun();
      await resource.deleted(state);
      await expect(found()).rejects.toMatchObject({ statusCode: 404 });
    });

    it("comes back with adopt: true", async () => {
      const state = await resource.updated(await lost(), { adopt: true, tags: { team: "ours" } });
      expect((await kind.found(vault, "orders")).tags).toEqual({
        team: "ours",
        "pulumi-keyvault": expect.stringMatching(/^shop\/prod /),
      });
      nextEngineRun();
      await resource.deleted(state);
      await expect(kind.found(vault, "orders")).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  /** A stack was renamed, and a new one took its name: the same URNs, the same tags, and nothing in its state. */
  describe("that two states may know by one token, after a stack was renamed and its name was used again,", () => {
    const args = { ...kind.source, onDelete: "purge" };
    const bothStates = async (): Promise<{ renamed: State; reused: State }> => {
      const renamed = await createdBefore(args);
      const reused = await resource.created(args);
      vault.requests.clear();
      return { renamed, reused };
    };

    it("is left alone where the renamed stack goes, and told when it is refreshed", async () => {
      const { renamed } = await bothStates();
      nextEngineRun();
      await resource.refreshed(renamed);
      expect(told).toMatch(/is now owned by stack "shop\/prod" by its tag/);
      await resource.deleted(renamed);
      expect(told).toMatch(/is left alone: stack "shop\/prod" owns it by its tag/);
      expect(writes()).toEqual([]);
    });

    it("can be recovered where the new stack goes: it is never purged", async () => {
      const { reused } = await bothStates();
      await resource.deleted(reused);
      expect(writes()).toEqual([noun === "key" ? "deleteKey" : "deleteSecret"]);
      expect(told).toMatch(/was deleted and not purged: it was taken over from an earlier run, or from a stack/);
    });

    it("stays the new stack's where the engine replaces it there, and after it was recovered", async () => {
      const { reused } = await bothStates();
      nextEngineRun();
      const again = await kind.provider.create(await resource.checked(args, reused.inputs));
      expect(again.outs.ownerToken).toBe(reused.outs.ownerToken);
      await resource.deleted({ ...reused, outs: { ...reused.outs, onDelete: "delete" } });
      const back = await resource.created(args);
      expect(back.outs.ownerToken).toBe(reused.outs.ownerToken);
    });
  });

  it("that the engine creates before it deletes the former one, of the same URN, keeps its token", async () => {
    const state = await createdBefore(sourceOf());
    const { outs } = await kind.provider.create(await resource.checked(sourceOf(), state.inputs));
    expect(outs.ownerToken).toBe(state.outs.ownerToken);
    expect(writes()).toEqual([]);
  });

  describe("survives a refactoring: an object is there afterwards, in as many versions,", () => {
    it("where a resource is renamed without an alias, which creates and then deletes", async () => {
      const old = await createdBefore({ ...identity("old"), ...sourceOf(), onDelete: "purge" });
      const renamed = await resource.created({ ...identity("new"), ...sourceOf() });
      await kind.provider.delete(old.id, old.outs);
      expect(told).toContain(`stays: the program declares it (${className} "new")`);
      expect((await found()).version).toBe(renamed.outs.version);
      expect(await versions()).toBe(1);
    });

    it("where that run is cut off between the two, and the next one deletes what is left to delete", async () => {
      const old = await createdBefore({ ...identity("old"), ...sourceOf(), onDelete: "purge" });
      await resource.created({ ...identity("new"), ...sourceOf() });
      vault.requests.clear();
      await resource.deleted(old);
      expect(told).toMatch(/is left alone: stack "shop\/prod" owns it by its tag/);
      expect(writes()).toEqual([]);
      expect(await versions()).toBe(1);
    });

    it("where two resources swap names and sources", async () => {
      const first = { ...identity("first"), name: "one", ...kind.source, onDelete: "purge" };
      const second = { ...identity("second"), name: "two", ...kind.other, onDelete: "purge" };
      const one = await resource.created(first);
      const two = await createdBefore(second);
      const [toTwo, toOne] = [
        { ...first, ...kind.other, name: "two" },
        { ...second, ...kind.source, name: "one" },
      ];
      const inputs = [await resource.checked(toTwo), await resource.checked(toOne)];
      const outs = [];
      for (const each of inputs) outs.push((await kind.provider.create(each)).outs);
      await kind.provider.delete(one.id, one.outs);
      await kind.provider.delete(two.id, two.outs);
      expect(outs.map(({ version }) => version)).toEqual([two.outs.version, one.outs.version]);
      expect((await found("one")).tags).toEqual({ "pulumi-keyvault": tagOf("second") });
      expect((await found("two")).tags).toEqual({ "pulumi-keyvault": tagOf("first") });
      expect([await versions("one"), await versions("two")]).toEqual([1, 1]);
    });

    it("where the engine replaces one and the same resource: deletes it, purges it even, and creates it", async () => {
      const args = { ...sourceOf(), onDelete: "purge" };
      const state = await createdBefore(args);
      const inputs = await resource.checked(args, state.inputs);
      await kind.provider.delete(state.id, state.outs);
      const { outs } = await kind.provider.create(inputs);
      expect((await found()).version).toBe(outs.version);
      expect(writes()).toEqual([]);
    });

    it("where the engine replaces it by one of another source, of which it makes one more version", async () => {
      const state = await createdBefore({ ...sourceOf(), onDelete: "purge" });
      const inputs = await resource.checked(kind.other, state.inputs);
      await kind.provider.delete(state.id, state.outs);
      const { outs } = await kind.provider.create(inputs);
      expect((await found()).version).toBe(outs.version);
      expect(await versions()).toBe(2);
    });

    it.each(["with its mark", "without a mark"])("where the engine creates first, %s", async (mark) => {
      const state = await createdBefore({ ...sourceOf(), onDelete: "purge" });
      if (mark === "without a mark") await kind.tag(vault, "orders", {});
      const inputs = await resource.checked(kind.other, state.inputs);
      const { outs } = await kind.provider.create(inputs);
      await kind.provider.delete(state.id, state.outs);
      expect((await found()).version).toBe(outs.version);
      expect(await versions()).toBe(2);
    });

    it("where the vault is spelled in another way", async () => {
      const state = await createdBefore({ ...sourceOf(), onDelete: "purge" });
      const vaultUrl = vault.url.replace("127.0.0.1", "LOCALHOST");
      await resource.checked({ ...sourceOf(), vaultUrl });
      await kind.provider.delete(state.id, state.outs);
      expect(writes()).toEqual([]);
    });
  });

  describe("decides what a delete may touch", () => {
    const anothers = async (args: Arguments): Promise<State> => {
      const state = await createdBefore({ ...sourceOf(), ...args });
      await kind.tag(vault, "orders", { "pulumi-keyvault": tagOf("orders", OTHER_STACK) });
      vault.requests.clear();
      return state;
    };

    it.each(["disable", "delete", "purge"])(
      "nothing that another owns, for `%s`, and tells who does",
      async (onDelete) => {
        const state = await anothers({ onDelete });
        await resource.deleted(state);
        expect(told).toMatch(/is left alone: stack "shop\/dev" owns it by its tag/);
        expect(writes()).toEqual([]);
        expect((await found()).enabled).toBe(true);
      },
    );

    it("nothing that the running program declares, tag or not", async () => {
      configureVaultSettings({ get: (name) => (name === "keyvault:ownerTag" ? "false" : undefined) });
      const state = await createdBefore({ ...sourceOf(), onDelete: "purge" });
      await resource.checked(sourceOf());
      await kind.provider.delete(state.id, state.outs);
      expect(writes()).toEqual([]);
      expect(told).toMatch(/stays: the program declares it/);
    });

    it("no soft-deleted one that another owns by now, for `purge`", async () => {
      const state = await anothers({ onDelete: "purge" });
      await (await kind.remove(vault, "orders")).pollUntilDone();
      vault.requests.clear();
      await resource.deleted(state);
      expect(writes()).toEqual([]);
      expect(told).toMatch(/stack "shop\/dev" owns it by its tag/);
    });

    it("its own, whatever became of its stack's name", async () => {
      const state = await createdBefore({ ...identity("orders", OTHER_STACK), ...sourceOf() });
      await resource.deleted(state);
      await expect(found()).rejects.toMatchObject({ statusCode: 404 });
    });

    it("one without a tag, as those of 0.1 and of adoption are", async () => {
      const state = await createdBefore(sourceOf());
      await kind.tag(vault, "orders", {});
      await resource.deleted(state);
      await expect(found()).rejects.toMatchObject({ statusCode: 404 });
    });
  });
});
