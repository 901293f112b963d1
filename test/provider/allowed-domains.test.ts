import { afterEach, expect, test } from "vitest";
import { configureVaultSettings, settingsProblems, vaultSettings } from "../../provider/engine/vault-settings.js";

const configured = (settings: Record<string, string>) =>
  configureVaultSettings(Object.assign({ get: (key: string) => settings[key] }, { rawConfig: settings }));

afterEach(() => configured({}));

test("domains of vaults beside those of the clouds come from the stack, else from the environment", () => {
  expect(vaultSettings({}).allowedDomains).toEqual([]);
  expect(vaultSettings({ KEYVAULT_ALLOWED_DOMAINS: "vault.a.example, vault.b.example," }).allowedDomains).toEqual([
    "vault.a.example",
    "vault.b.example",
  ]);
  configured({ "keyvault:allowedDomains": "vault.c.example" });
  expect(vaultSettings({ KEYVAULT_ALLOWED_DOMAINS: "vault.a.example" }).allowedDomains).toEqual(["vault.c.example"]);
  expect(settingsProblems()).toEqual([]);
});
