import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { configureVaultSettings } from "../../provider/engine/vault-settings.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import { key, keyBackup, keyInventory, secret, vaultBackup } from "./providers.js";

/** The vault knows two principals: the stack's may do nothing, the partner's everything. */
describe("a resource that names a credential of its own", () => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator();
    vault.vault("emulator").configure({
      permissions: { principals: { stack: {}, partner: { keys: ["*"], secrets: ["*"] } } },
    });
    startEngineRun(vault);
    vi.stubEnv("KEYVAULT_TOKEN", await tokenOf("stack"));
    vi.stubEnv("PARTNER_TOKEN", await tokenOf("partner"));
    const credentials = JSON.stringify({ partner: { type: "token", token: { env: "PARTNER_TOKEN" } } });
    const settings: Record<string, string> = { "keyvault:credentials": credentials };
    configureVaultSettings({ get: (name) => settings[name] });
  });
  afterEach(async () => {
    configureVaultSettings({ get: () => undefined });
    await vault.close();
  });

  const tokenOf = async (principal: string) =>
    (await vault.credentialFor(principal).getToken("https://vault.azure.net/.default"))?.token;
  /** As the engine passes secrets on. */
  const plain = (properties: object): Record<string, unknown> =>
    JSON.parse(JSON.stringify(properties), (_key, value) => value?.value ?? value);
  const partner = () => ({ vaultUrl: vault.url, credential: "partner" });

  it("goes through its life with it, though the stack's own may do nothing", async () => {
    const args = { ...partner(), name: "orders", generate: { keyType: "EC" }, ...identity() };
    const { inputs, failures } = await key.check({}, args);
    expect(failures).toEqual([]);
    const { id, outs } = await key.create(inputs);
    expect(outs).toMatchObject({ credential: "partner" });
    const read = await key.read(id, outs);
    expect(read.inputs).toMatchObject({ credential: "partner" });
    const changed = await key.check(inputs, { ...args, tags: { team: "orders" } });
    const updated = await key.update(id, outs, changed.inputs);
    nextEngineRun();
    await key.delete(id, updated.outs);
    await expect(key.read(id, updated.outs)).resolves.toMatchObject({ id: "" });
  });

  it("without it is refused by the vault, with the permission that lacks", async () => {
    const { inputs } = await key.check(
      {},
      { vaultUrl: vault.url, name: "orders", generate: { keyType: "EC" }, ...identity() },
    );
    await expect(key.create(inputs)).rejects.toThrow("KV_FORBIDDEN: getKey");
  });

  it("takes secrets, backups and inventories with it, and sends nothing where it alone changes", async () => {
    const made = await secret.create(
      plain((await secret.check({}, { ...partner(), name: "db", value: "v", ...identity("db", "Secret") })).inputs),
    );
    expect(made.outs).toMatchObject({ credential: "partner" });
    await key.create(
      (await key.check({}, { ...partner(), name: "orders", generate: { keyType: "EC" }, ...identity() })).inputs,
    );
    for (const [resource, args] of [
      [keyBackup, { name: "orders" }],
      [vaultBackup, { keys: "*" }],
      [keyInventory, { expect: ["orders"] }],
    ] as const) {
      const { inputs, failures } = await resource.check({}, { ...partner(), ...args });
      expect(failures).toEqual([]);
      const { id, outs } = await resource.create(inputs);
      const recorded = plain(outs);
      const read = await resource.read(id, recorded);
      expect(read.inputs).toMatchObject({ credential: "partner" });
    }
    const asked = vault.requests.count;
    const outs = plain(made.outs);
    const other = await secret.check(outs, {
      vaultUrl: vault.url,
      name: "db",
      value: "v",
      ...identity("db", "Secret"),
    });
    await secret.update(made.id, outs, plain(other.inputs));
    expect(vault.requests.count).toBe(asked);
  });

  it("is found again by Key.get", async () => {
    const args = { ...partner(), name: "orders", generate: { keyType: "EC" }, ...identity() };
    const { id } = await key.create((await key.check({}, args)).inputs);
    await expect(key.read(id, { credential: "partner" })).resolves.toMatchObject({
      props: { name: "orders", credential: "partner" },
    });
  });
});
