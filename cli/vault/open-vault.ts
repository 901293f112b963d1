import { configureVaultSettings, vaultSettings } from "../../provider/engine/vault-settings.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { parseVaultUrl } from "../../provider/keyvault/identifier.js";
import { EMBEDDED } from "../../provider/vault/object-address.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import { CliError } from "../failure/cli-error.js";

/** A vault of the command line, reached as the provider reaches it. */
export interface OpenVault {
  vaultUrl: string;
  client: KeyVaultClient;
}

/** Opens the vault that `--vault` or `AZURE_KEYVAULT_URL` names, with the credential of `--credential`. */
export async function openVault(vault: string | undefined, credential: string | undefined): Promise<OpenVault> {
  const settings: Record<string, string> = credential === undefined ? {} : { "keyvault:credential": credential };
  configureVaultSettings({ get: (key) => settings[key] });
  const given = vault ?? vaultSettings().vaultUrl;
  if (given === undefined) {
    throw new CliError(
      "KV_USAGE",
      "no vault: name it with --vault https://NAME.vault.azure.net, or set AZURE_KEYVAULT_URL",
    );
  }
  const isEmbedded = given.startsWith(EMBEDDED) && given.length > EMBEDDED.length;
  const vaultUrl = isEmbedded ? given : parseVaultUrl(given);
  return { vaultUrl, client: await vaultClient(vaultUrl) };
}
