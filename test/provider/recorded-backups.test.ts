import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { formatCovered, parseCovered } from "../../provider/backup/covered-version.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { backupDigest } from "../../provider/object/backup-blob.js";
import { call } from "../engine/vault-by-hand.js";
import { DrivenResource, type State } from "./driven-resource.js";
import { keyBackup, secretBackup, vaultBackup } from "./providers.js";

describe("what a backup covers", () => {
  it.each(["0123456789abcdef0123456789abcdef 2026-01-01T00:00:00Z", "0123456789abcdef0123456789abcdef "])(
    "is read and written as the text %j",
    (text) => {
      expect(formatCovered(parseCovered(text))).toBe(text);
    },
  );

  it.each([{ version: "1", updatedOn: "2026-01-01T00:00:00Z" }, { version: "1" }])(
    "is %j from text again",
    (covered) => {
      expect(parseCovered(formatCovered(covered))).toEqual(covered);
    },
  );
});

const folder = mkdtempSync(join(tmpdir(), "recorded-backups-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the state of a backup", () => {
  let vault: Emulator;
  let one: DrivenResource;
  let many: DrivenResource;
  let told: string;

  beforeEach(async () => {
    vault = await startEmulator();
    one = new DrivenResource(keyBackup, vault, { vaultUrl: vault.url, name: "orders", __provider: "text" });
    many = new DrivenResource(vaultBackup, vault, { vaultUrl: vault.url, keys: "*", __provider: "text" });
    await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
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

  const changed = (state: State, outs: Record<string, unknown>): State => ({
    ...state,
    outs: { ...state.outs, ...outs },
  });
  const takenAgain = async (resource: DrivenResource, state: State, args: Record<string, unknown>) => {
    const later = await resource.updated(state, args);
    expect(resource.operations()).toContain("backupKey");
    expect(await resource.drift(later)).toEqual({});
  };

  it("is clean as version 0.1.0 wrote it", async () => {
    const { outs } = await many.created({});
    const { covered, blobs } = outs as { covered: { keys: { orders: string } }; blobs: { keys: { orders: string } } };
    const { version, updatedOn } = parseCovered(covered.keys.orders);
    const common = { __provider: "text", vaultUrl: vault.url, takenOn: "2026-01-01T00:00:00Z" };
    const inputs = { __provider: "text", vaultUrl: vault.url, name: "orders" };
    const old: State = {
      id: `${vault.url}/keys/orders/backup`,
      inputs,
      outs: {
        ...common,
        ...inputs,
        covered: { version, updatedOn },
        digest: backupDigest(blobs.keys.orders),
        blob: blobs.keys.orders,
        file: "",
      },
    };
    expect(await one.drift(old)).toEqual({});
    const oldInputs = { __provider: "text", vaultUrl: vault.url, keys: ["*"] };
    const digest = backupDigest(JSON.stringify({ keys: blobs.keys, secrets: {} }));
    const oldVault: State = {
      id: `${vault.url}/backup`,
      inputs: oldInputs,
      outs: { ...common, ...oldInputs, covered, blobs, failed: { keys: {}, secrets: {} }, digest },
    };
    expect(await many.drift(oldVault)).toEqual({});
    const later = await many.updated(oldVault, {});
    expect(many.operations()).toEqual(["getKeys"]);
    expect(later.outs).toEqual(oldVault.outs);
  });

  it("keeps members that it does not know, and makes no inputs of them", async () => {
    const state = changed(await one.created({}), { later: { a: 1 } });
    expect((await one.refreshed(state)).outs).toMatchObject({ later: { a: 1 } });
    expect(await one.drift(state)).toEqual({});
    const whole = changed(await many.created({}), { later: { a: 1 } });
    expect((await many.refreshed(whole)).outs).toMatchObject({ later: { a: 1 } });
    expect(await many.drift(whole)).toEqual({});
  });

  it.each([null, ""])("tells a blob that became %j as stale, and takes it again", async (blob) => {
    const state = changed(await one.created({}), { blob });
    expect(await one.drift(state)).toEqual({ stale: "its blob in state is lost" });
    expect(told).toContain(`the backup of key "orders" in ${vault.url} is stale: its blob in state is lost`);
    await takenAgain(one, state, {});
  });

  it("tells a blob that was changed as stale", async () => {
    const state = await one.created({});
    expect(await one.drift(changed(state, { blob: `${state.outs.blob}AA` }))).toEqual({
      stale: "its blob in state was changed",
    });
  });

  it.each([
    ["blobs", null],
    ["one blob", { keys: { orders: null }, secrets: {} }],
  ])("tells %s of a vault that became null as stale, and takes them again", async (_what, blobs) => {
    const state = changed(await many.created({}), { blobs });
    expect(await many.drift(state)).toEqual({ stale: ['key "orders": its blob in state is lost'] });
    await takenAgain(many, state, {});
  });

  it("tells blobs of a vault that were changed as stale, and takes them again", async () => {
    const state = changed(await many.created({}), { blobs: { keys: { orders: "AAAA" }, secrets: {} } });
    expect(await many.drift(state)).toEqual({ stale: ["the blobs in state were changed"] });
    await takenAgain(many, state, {});
  });

  it("is changed in the next up where a blob became null and nothing was refreshed", async () => {
    const state = await one.created({});
    const whole = await many.created({});
    const changes = async ({ provider }: DrivenResource, { id, outs, inputs }: State) =>
      (await provider.diff(id, outs, inputs)).changes;
    expect(await changes(one, changed(state, { blob: null }))).toBe(true);
    expect(await changes(many, changed(whole, { blobs: null }))).toBe(true);
    expect(await changes(one, state)).toBeUndefined();
    expect(await changes(many, whole)).toBeUndefined();
  });

  it.each([
    ["digest", null, "digest is null"],
    ["covered", { version: null }, "covered.version is null"],
    ["to", "backups", "to is malformed"],
  ])(
    "with a broken %s is an error that names the resource, the member and the remedy",
    async (member, value, problem) => {
      const { id, outs } = changed(await one.created({}), { [member]: value });
      await expect(keyBackup.read(id, outs)).rejects.toThrow(
        `KV_INVALID_INPUT: the state of the backup of key "orders" in ${vault.url} cannot be read (${problem}): take the backup anew: pulumi up --replace with its URN`,
      );
    },
  );

  it("of a vault with a broken member is an error in refresh and update", async () => {
    const { id, outs, inputs } = changed(await many.created({}), { covered: { keys: { orders: 5 }, secrets: {} } });
    const problem = `KV_INVALID_INPUT: the state of the VaultBackup of ${vault.url} cannot be read (covered.keys.orders is malformed)`;
    await expect(vaultBackup.read(id, outs)).rejects.toThrow(problem);
    await expect(vaultBackup.update(id, outs, inputs)).rejects.toThrow(problem);
  });

  it("is of the same vault where its URL is spelled in another way, or not known yet", async () => {
    const spelled = vault.url.replace("127.0.0.1", "localhost");
    for (const resource of [one, many]) {
      const { id, outs, inputs } = await resource.created({
        to: { folder: join(folder, resource === one ? "one" : "many") },
      });
      const replaces = async (news: Record<string, unknown>) =>
        (await resource.provider.diff(id, outs, { ...inputs, ...news })).replaces;
      expect(await replaces({ vaultUrl: spelled })).toEqual([]);
      expect(await replaces({ vaultUrl: UNKNOWN })).toEqual([]);
      expect(await replaces({ vaultUrl: "https://other.vault.azure.net" })).toEqual(["vaultUrl"]);
      const { outs: updated } = await resource.provider.update(id, outs, { ...inputs, vaultUrl: spelled });
      expect(updated.vaultUrl).toBe(spelled);
    }
    expect(await many.checked({ keys: [{ name: "orders", version: "1", vaultUrl: spelled }] })).toMatchObject({
      keys: ["orders"],
    });
    expect(
      (await one.provider.diff("id", { vaultUrl: vault.url, name: "a" }, { vaultUrl: vault.url, name: "b" })).replaces,
    ).toEqual(["name"]);
  });

  it("warns of a secret that comes near the number of versions that no backup can hold", async () => {
    for (let i = 0; i < 449; i++) await call(vault, "PUT", "/secrets/many", { value: "v" });
    const secret = new DrivenResource(secretBackup, vault, { vaultUrl: vault.url, name: "many", __provider: "text" });
    const state = await secret.created({});
    expect(told).not.toContain("versions");
    await call(vault, "PUT", "/secrets/many", { value: "v" });
    await secret.refreshed(state);
    expect(told).toContain(`secret "many" in ${vault.url} has 450 versions, and no backup can hold more than 500`);
  });
});
