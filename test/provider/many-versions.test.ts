import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { DrivenResource } from "./driven-resource.js";
import { keyBackup, secret, secretBackup } from "./providers.js";

const WARNING =
  /"orders" in \S+ has 450 versions, and no backup can hold more than 500: go on under another name before/g;

let vault: Emulator;
let told = "";
beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
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

const secretVersions = async (count: number): Promise<void> => {
  for (let made = 0; made < count; made++) await call(vault, "PUT", "/secrets/orders", { value: "v" });
};
const keyVersions = async (count: number): Promise<void> => {
  for (let made = 0; made < count; made++) await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
};
const driven = (provider: typeof secret) =>
  new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
const managed = { version: "0".repeat(32), updatedOn: "2026-01-01T00:00:00Z" };

describe("an object that nears the versions that a backup can hold", { timeout: 60_000 }, () => {
  it.each([
    ["the backup of a key", keyBackup, keyVersions, managed],
    ["the backup of a secret", secretBackup, secretVersions, managed],
    ["the backup of a secret by name", secretBackup, secretVersions, {}],
  ] as const)("is told by %s", async (_what, provider, makeVersions, inputs) => {
    await makeVersions(449);
    await driven(provider).created(inputs);
    expect(told).toBe("");
    await makeVersions(1);
    await driven(provider).created(inputs);
    expect(told.match(WARNING)).toHaveLength(1);
  });

  it("is told by the refresh of a secret that is read from its list", async () => {
    const resource = driven(secret);
    await secretVersions(449);
    const state = await resource.created({ value: "v", adopt: true, valueDrift: false });
    await resource.refreshed(state);
    expect(told).toBe("");
    await secretVersions(1);
    await resource.refreshed(state);
    expect(told).toMatch(WARNING);
  });

  it("is backed up without the warning by a caller who may not list", async () => {
    await secretVersions(450);
    vault.faults.add({
      kind: "status",
      status: 403,
      code: "Forbidden",
      innerCode: "AccessDenied",
      operation: "getSecretVersions",
    });
    expect((await driven(secretBackup).created(managed)).outs.digest).toMatch(/^sha256:/);
    expect(told).toBe("");
  });

  it("costs no request as long as the backup is small", async () => {
    await secretVersions(3);
    const backups = driven(secretBackup);
    vault.requests.clear();
    await backups.created(managed);
    expect(backups.operations()).toEqual(["backupSecret"]);
  });
});
