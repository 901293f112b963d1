import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type DynamicProvider, messageOf } from "../../provider/engine/lifecycle.js";
import { configureVaultSettings } from "../../provider/engine/vault-settings.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { identity, startEngineRun } from "./engine-run.js";
import {
  key,
  keyBackup,
  keyInventory,
  keySet,
  secret,
  secretBackup,
  secretInventory,
  vaultBackup,
} from "./providers.js";
import { stored } from "./stored.js";

const folder = mkdtempSync(join(tmpdir(), "named-mistakes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let vault: Emulator;
beforeAll(async () => {
  vault = await startEmulator();
});
afterAll(() => vault.close());
beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, "write").mockReturnValue(true);
});
afterEach(() => {
  configureVaultSettings({ get: () => undefined });
  vi.restoreAllMocks();
});

const made: Arguments = { generate: { keyType: "EC" } };
const TYPES: Record<string, { provider: DynamicProvider; args: Arguments }> = {
  Key: { provider: key, args: { name: "orders", ...made } },
  KeySet: { provider: keySet, args: { keys: { orders: made } } },
  Secret: { provider: secret, args: { name: "orders", value: "v" } },
  KeyBackup: { provider: keyBackup, args: { name: "orders" } },
  SecretBackup: { provider: secretBackup, args: { name: "orders" } },
  VaultBackup: { provider: vaultBackup, args: { keys: "*" } },
  KeyInventory: { provider: keyInventory, args: {} },
  SecretInventory: { provider: secretInventory, args: {} },
};

/** What a check says of it, or else its creation: one message, whose code stands once. */
async function told(type: string, args: Arguments): Promise<string> {
  const { provider, args: own } = TYPES[type] ?? { provider: key, args: {} };
  const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, ...own }, type);
  const { claimant, owner, ...passed } = resource.passed(args);
  const isClaimed = !type.endsWith("Inventory");
  const { inputs, failures } = await provider.check({}, isClaimed ? { claimant, owner, ...passed } : passed);
  const messages = failures.map(({ reason }) => reason);
  if (messages.length === 0)
    await provider.create(stored(inputs)).catch((error: Error) => messages.push(error.message));
  for (const message of messages) {
    expect(message).toMatch(/^KV_[A-Z_]+: \S/);
    expect(message.match(/KV_[A-Z_]+: /g)).toHaveLength(1);
    expect(message).not.toMatch(/TypeError|ENOENT|\(reading '|\[object/);
  }
  return messages.join("\n");
}

describe("a mistake that people make is told by what it is and what to do:", () => {
  it.each(Object.keys(TYPES))("vaultUrl is empty, though the stack has one, of a %s", async (type) => {
    configureVaultSettings({ get: (name) => (name === "keyvault:vaultUrl" ? vault.url : undefined) });
    expect(await told(type, { vaultUrl: "" })).toBe(
      "KV_INVALID_INPUT: vaultUrl is empty: name the vault, or leave vaultUrl out to take the stack's keyvault:vaultUrl",
    );
  });

  it("the stack's vaultUrl is empty, which counts as none", async () => {
    configureVaultSettings({ get: (name) => (name === "keyvault:vaultUrl" ? "" : undefined) });
    expect(await told("Key", { vaultUrl: undefined })).toMatch(/^KV_INVALID_INPUT: no vault URL/);
  });

  it.each(["Key", "Secret"])("embedded: names a file that is no vault, of a %s", async (type) => {
    const file = join(folder, "notes.txt");
    writeFileSync(file, "notes ".repeat(200));
    expect(await told(type, { vaultUrl: `embedded:${file}` })).toMatch(/^KV_INVALID_INPUT: .*notes\.txt/);
  });

  it.each(["Key", "Secret"])("embedded: names a file in a folder that is not there, of a %s", async (type) => {
    const message = await told(type, { vaultUrl: `embedded:${join(folder, "missing/dev.vault")}` });
    expect(message).toMatch(/^KV_INVALID_INPUT: .*missing/);
  });

  it("embedded: names a folder", async () => {
    expect(await told("Key", { vaultUrl: `embedded:${folder}` })).toMatch(/^KV_INVALID_INPUT: /);
  });

  it.each(Object.keys(TYPES))("embedded: names no file, of a %s", async (type) => {
    expect(await told(type, { vaultUrl: "embedded:" })).toMatch(/"embedded:" needs a file, such as/);
  });

  it.each(["Key", "Secret"])("the file of an embedded vault begins with ~, of a %s", async (type) => {
    expect(await told(type, { vaultUrl: "embedded:~/dev.vault" })).toMatch(/a shell reads ~, a program does not/);
  });

  it("a file of material begins with ~", async () => {
    expect(await told("Key", { generate: undefined, import: { file: "~/orders.pem" } })).toMatch(
      /^KV_INVALID_KEY_MATERIAL: .*a path does not expand ~/,
    );
    expect(await told("Secret", { value: { file: "~/db.password" } })).toMatch(/a path does not expand ~/);
  });

  it.each(["KeyBackup", "VaultBackup"])("the folder of a %s begins with ~", async (type) => {
    expect(await told(type, { to: { folder: "~/backups" } })).toMatch(/a shell reads ~, a program does not/);
  });

  it.each([
    ["Key", { generate: undefined }, /a key needs one source: import, generate, restore or adopt/],
    ["Secret", { value: undefined }, /a secret needs one source: value, generate, restore or adopt/],
    ["KeySet", { keys: undefined }, /there is no key in this set: give import, keys or both/],
    ["KeyBackup", { name: undefined }, /name is needed: which key it is/],
    ["SecretBackup", { name: undefined }, /name is needed: which secret it is/],
    ["VaultBackup", { keys: undefined }, /nothing to back up: set keys, secrets or both/],
  ])("a %s has no arguments", async (type, args, lack) => {
    expect(await told(type, args)).toMatch(lack);
  });

  it.each([
    ["Key", { generate: undefined }],
    ["Secret", { value: undefined }],
  ])("a %s adopts, and has no name", async (type, args) => {
    const message = await told(type, { ...args, name: undefined, autoName: "orders-1234567", adopt: true });
    expect(message).toMatch(/^KV_INVALID_INPUT: .*name/);
  });

  it.each([
    ["Key", key, "keys"],
    ["Secret", secret, "secrets"],
  ])("%s.get names nothing that is there", async (_type, provider, path) => {
    startEngineRun(vault);
    await expect(provider.read(`${vault.url}/${path}/missing`, {})).rejects.toThrow(
      /^KV_NOT_FOUND: .*"missing" in .* is not there to be read/,
    );
  });

  it.each([
    ["Key", key, made],
    ["Secret", secret, { value: "v" }],
  ])("two resources have one %s, and the second is told which the first is", async (type, provider, args) => {
    const name = "twice";
    const first = new DrivenResource(provider, vault, { vaultUrl: vault.url, name, ...args }, type);
    await first.checked(identity("first", type));
    expect(await first.refused(identity("second", type))).toMatch(
      new RegExp(`^KV_INVALID_INPUT: ${type} "first" already manages the ${type.toLowerCase()} "twice" in `),
    );
  });

  it("an embedded vault is named by its path where its refusal names an object", async () => {
    const vaultUrl = `embedded:${join(folder, "dev.vault")}`;
    const client = await vaultClient({ vaultUrl, mayMakeVault: true });
    await client.createKey("orders", { keyType: "EC" });
    const refusal = await client.restoreKey(await client.backupKey("orders")).catch(messageOf);
    expect(refusal).toContain(`${vaultUrl}/keys/orders/`);
    expect(refusal).not.toMatch(/127\.0\.0\.1|localhost/);
  });

  it("an error that says its code itself has it once", () => {
    expect(messageOf(new KeyVaultError("KV_BUSY", "KV_BUSY: key x is refused"))).toBe("KV_BUSY: key x is refused");
    expect(messageOf(new KeyVaultError("KV_BUSY", "key x is refused"))).toBe("KV_BUSY: key x is refused");
  });
});
