import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient, secretClient } from "../engine/vault-by-hand.js";
import { DrivenResource, type State } from "./driven-resource.js";
import { hurried, identity, nextEngineRun } from "./engine-run.js";
import { startOtherServer } from "./other-server.js";
import { key, secret } from "./providers.js";

describe.each([
  ["key", key, { import: { jwk: ecKey().jwk } }, { import: { jwk: ecKey().jwk } }, "keys", "importKey", "updateKey"],
  ["secret", secret, { value: "a value" }, { value: "another value" }, "secrets", "setSecret", "updateSecret"],
] as const)("a write of a %s whose answer is lost", (noun, provider, source, other, collection, make, patch) => {
  let vault: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const sent = (operation: string): number => resource.operations().filter((each) => each === operation).length;
  const versions = async (): Promise<number> => {
    const { value } = (await call(vault, "GET", `/${collection}/orders/versions`)) as { value: unknown[] };
    return value.length;
  };
  const somebodyWrites = () =>
    noun === "key"
      ? keyClient(vault).createEcKey("orders")
      : secretClient(vault).setSecret("orders", "somebody else's value");
  /** A request that never reaches the vault, and how the log counts what did. */
  const drop = (operation: string) => vault.faults.add({ kind: "drop", operation, times: 1 });
  const commitLate = (operation: string, milliseconds: number) =>
    vault.faults.add({ kind: "drop", operation, times: 1, commits: "late", milliseconds });
  const createdBefore = async (): Promise<State> => {
    const state = await resource.created({ ...source, tags: { team: "orders" } });
    nextEngineRun();
    vault.requests.clear();
    return state;
  };

  it("is found where it is carried out 20 seconds late, and is not sent again", async () => {
    commitLate(make, 20_000);
    const { outs } = await resource.created(source);
    expect(await versions()).toBe(1);
    expect(outs.version).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is uncertain where it never was, nothing is sent again in that run, and the next run makes it", async () => {
    drop(make);
    await expect(resource.created(source)).rejects.toThrow(/^KV_UNCERTAIN: whether a version of .*pulumi up/);
    await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
    nextEngineRun();
    await resource.created(source);
    expect(await versions()).toBe(1);
  });

  it("is uncertain where it is carried out ten minutes late, and the next run takes it then", async () => {
    commitLate(make, 600_000);
    await expect(resource.created(source)).rejects.toThrow(/^KV_UNCERTAIN/);
    vault.clock.advance(600_000);
    nextEngineRun();
    await resource.created(source);
    expect(await versions()).toBe(1);
  });

  it("is no longer looked for where somebody else has written in between, whose version is left alone", async () => {
    drop(make);
    let written: Promise<unknown> | undefined;
    useRunClock(
      hurried((ms) => {
        vault.clock.advance(ms);
        written ??= somebodyWrites();
        return written;
      }),
    );
    await expect(resource.created(source)).rejects.toThrow(
      /^KV_CONFLICT: .*now holds a version that is not the one sent.*preview --refresh/,
    );
    expect(await versions()).toBe(1);
    expect(sent(make)).toBeLessThanOrEqual(1 + (noun === "secret" ? 1 : 0));
  });

  it("of new material is found late, and makes one version and no second", async () => {
    const state = await createdBefore();
    commitLate(make, 10_000);
    const { outs } = await resource.updated(state, { ...other, tags: { team: "orders" } });
    expect(await versions()).toBe(2);
    expect(outs.version).not.toBe(state.outs.version);
  });

  it("of new material that was taken for lost by a run before is taken by the next, which looks first", async () => {
    const state = await createdBefore();
    const args = { ...other, tags: { team: "orders" } };
    commitLate(make, 600_000);
    await expect(resource.updated(state, args)).rejects.toThrow(/^KV_UNCERTAIN/);
    vault.clock.advance(600_000);
    nextEngineRun();
    await resource.updated(state, args);
    expect(sent(make)).toBe(0);
    expect(await versions()).toBe(2);
  });

  it("of new material by a resource that had it in between, whose state is lost, is taken by the one that has it again", async () => {
    const before = await createdBefore();
    const between = await resource.created({ ...source, ...identity("between") });
    nextEngineRun();
    await resource.updated(between, { ...other, ...identity("between") });
    nextEngineRun();
    const { outs } = await resource.updated(before, other);
    expect(await versions()).toBe(2);
    nextEngineRun();
    await resource.deleted({ id: before.id, outs });
    await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
  });

  it("of attributes is found late, and is uncertain where it never comes", async () => {
    const state = await createdBefore();
    const args = { ...source, tags: { team: "billing" } };
    commitLate(patch, 10_000);
    const updated = await resource.updated(state, args);
    expect(await resource.drift(updated)).toEqual({});
    drop(patch);
    await expect(resource.updated(updated, { ...source, tags: { team: "shipping" } })).rejects.toThrow(
      /^KV_UNCERTAIN: whether the change of /,
    );
    expect(await resource.drift(updated)).toEqual({});
  });

  it("that deletes it is found late, and is uncertain where it never comes", async () => {
    const operation = noun === "key" ? "deleteKey" : "deleteSecret";
    const state = await createdBefore();
    drop(operation);
    await expect(resource.deleted(state)).rejects.toThrow(/^KV_UNCERTAIN: whether the deletion of /);
    commitLate(operation, 10_000);
    await resource.deleted(state);
    await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
  });
});

describe("a key that is to be purged, and that another stack has marked after the look", () => {
  it("is deleted and not purged, so that it can be recovered", async () => {
    const vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const theirs = { "pulumi-keyvault": "shop/test abcdefghijklmnop" };
    const other = await startOtherServer(vault, ({ status, body, method }) => ({
      status,
      body: method === "DELETE" ? { ...body, tags: theirs } : body,
    }));
    try {
      const resource = new DrivenResource(key, vault, { vaultUrl: other.url, name: "orders" });
      const state = await resource.created({ import: { jwk: ecKey().jwk }, onDelete: "purge" });
      await resource.deleted(state);
      expect(sentTo(vault, "deleteKey")).toBe(1);
      expect(sentTo(vault, "purgeDeletedKey")).toBe(0);
    } finally {
      other.close();
      vi.restoreAllMocks();
      await vault.close();
    }
  });
});

describe("a recovery during which a look is refused as busy", () => {
  it("goes on, and nothing is written over what comes back", async () => {
    const vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "orders" });
      const args = { import: { jwk: ecKey().jwk } };
      await resource.deleted(await resource.created(args));
      nextEngineRun();
      vault.requests.clear();
      vault.faults.add({ kind: "conflict", operation: "getKey", after: 1, times: 1 });
      await resource.created(args);
      expect(sentTo(vault, "importKey")).toBe(1);
      expect(sentTo(vault, "recoverDeletedKey")).toBe(1);
    } finally {
      vi.restoreAllMocks();
      await vault.close();
    }
  });
});

const FORMER_RECIPE = { generate: { keyType: "EC", keepers: { year: "2026" } } };

describe("a recovered object whose version of the program's source is never made", () => {
  it.each([
    ["generated key", key, { generate: { keyType: "EC" } }, "createKey", { import: { jwk: ecKey().jwk } }],
    ["generated key of another recipe", key, { generate: { keyType: "EC" } }, "createKey", FORMER_RECIPE],
    ["imported key", key, { import: { jwk: ecKey().jwk } }, "importKey", { import: { jwk: ecKey().jwk } }],
    ["generated secret", secret, { generate: { length: 20 } }, "setSecret", { value: "another" }],
    ["secret", secret, { value: "a value" }, "setSecret", { value: "another" }],
    ["secret that was disabled", secret, { value: "a value" }, "setSecret", { value: "another", enabled: false }],
  ] as const)(
    "gets it from the next run, which a refresh may precede: a %s",
    async (_what, provider, source, make, former) => {
      const vault = await startEmulator();
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      try {
        const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
        await resource.deleted(await resource.created(former));
        nextEngineRun();
        const inputs = await resource.checked(source);
        vault.faults.add({ kind: "drop", operation: make, after: 1, times: 1 });
        const failure = await provider.create(inputs).catch((error: unknown) => error);
        expect(failure).toMatchObject({ message: expect.stringMatching(/^KV_UNCERTAIN/) });
        const { id, properties } = z
          .object({ id: z.string(), properties: z.record(z.string(), z.unknown()) })
          .parse(failure);
        vault.faults.clear();
        nextEngineRun();
        const partial: State = { id, inputs, outs: plain(properties) };
        const seen = await resource.refreshed(partial);
        await resource.updated(seen, source);
        expect(sentTo(vault, make)).toBe(1);
        nextEngineRun();
        await resource.updated(partial, source);
        expect(sentTo(vault, make)).toBe(0);
        nextEngineRun();
        await resource.updated(await resource.refreshed(seen), source);
        expect(sentTo(vault, make)).toBe(0);
      } finally {
        vi.restoreAllMocks();
        await vault.close();
      }
    },
  );
});

describe.each([
  ["key", key, { import: { jwk: ecKey().jwk } }, "getKey", "keys"],
  ["secret", secret, { value: "a value" }, "getSecret", "secrets"],
] as const)(
  "a %s whose recovery was agreed to, and never seen by the run",
  (_noun, provider, source, get, collection) => {
    let vault: Emulator;
    let resource: DrivenResource;
    let partial: State;

    beforeEach(async () => {
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      vault = await startEmulator({ timing: "short" });
      resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
      await resource.deleted(await resource.created(source));
      vault.clock.advance(1_000);
      nextEngineRun();
      const inputs = await resource.checked(source);
      vault.faults.add({ kind: "html", operation: get, after: 1, times: 1 });
      const failure = await provider.create(inputs).catch((error: unknown) => error);
      expect(failure).toMatchObject({ message: expect.stringMatching(/^KV_PROTOCOL/) });
      const { id, properties } = z
        .object({ id: z.string(), properties: z.record(z.string(), z.unknown()) })
        .parse(failure);
      nextEngineRun();
      partial = { id, inputs, outs: plain(properties) };
      await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await vault.close();
    });

    it("is deleted once it is back, and not taken for gone", async () => {
      await resource.deleted(partial);
      vault.clock.advance(10_000);
      await expect(call(vault, "GET", `/${collection}/orders`)).rejects.toThrow("404");
      expect(await call(vault, "GET", `/deleted${collection}/orders`)).toMatchObject({ recoveryId: expect.anything() });
    });

    it("is there for a refresh, and its update needs no other version", async () => {
      const seen = await resource.refreshed(partial);
      expect(seen.id).toBe(partial.id);
      const { outs } = await resource.updated(seen, source);
      expect(outs).not.toHaveProperty("awaitsRecovery");
      expect(await call(vault, "GET", `/${collection}/orders/versions`)).toMatchObject({ value: [expect.anything()] });
    });

    it("is gone for a refresh where somebody has deleted it again", async () => {
      vault.clock.advance(1_000);
      await call(vault, "DELETE", `/${collection}/orders`);
      expect((await resource.refreshed(partial)).id).toBe("");
    });
  },
);

const sentTo = (vault: Emulator, operation: string): number =>
  askedOperations(vault).filter((each) => each === operation).length;

/** Secrets in plain text, as the engine hands them back. */
const plain = (value: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value), (_key, item) => (item?.["4dabf18193072939515e22adb298388d"] ? item.value : item));
