import { stat } from "node:fs/promises";
import { configureVaultSettings, vaultSettings } from "../../provider/engine/vault-settings.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { parseVaultUrl } from "../../provider/keyvault/identifier.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import { EMBEDDED } from "../../provider/vault/vault-identity.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";

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
  const vaultUrl = isEmbedded(given) ? await embeddedVault(given.slice(EMBEDDED.length)) : parseVaultUrl(given);
  return { vaultUrl, client: await vaultClient({ vaultUrl, credential: credential ?? vaultSettings().credential }) };
}

function isEmbedded(given: string): boolean {
  return given.startsWith(EMBEDDED) && given.length > EMBEDDED.length;
}

/**
 * The address of an embedded vault. These commands only read: a vault that is not there is a slip of the pen, and is
 * not made.
 *
 * @throws CliError `KV_FILE`
 */
async function embeddedVault(given: string): Promise<string> {
  if (given === "memory") return `${EMBEDDED}${given}`;
  const path = homePath(given);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(
      "KV_FILE",
      error.code === "ENOENT"
        ? `there is no embedded vault ${path}: check the path; an update or \`pulumi-keyvault emulator --store\` makes one`
        : `the embedded vault ${path} cannot be read (${error.code ?? "unknown error"}): check its name and permissions`,
    );
  });
  if (!found.isFile() || found.size === 0) {
    throw new CliError("KV_FILE", `${path} is no file of an embedded vault: check the path`);
  }
  return `${EMBEDDED}${path}`;
}
