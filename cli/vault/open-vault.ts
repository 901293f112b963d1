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

/**
 * Opens the vault that `--vault` or `AZURE_KEYVAULT_URL` names, with the credential of `--credential`.
 *
 * @param missing what an embedded one is whose file is not there yet: a slip of the pen, which is refused, a vault without
 * anything in it, or one that the first write makes. Default `refuse`.
 */
export async function openVault(
  vault: string | undefined,
  credential: string | undefined,
  { missing = "refuse" }: { missing?: "refuse" | "empty" | "make" } = {},
): Promise<OpenVault> {
  const settings: Record<string, string> = credential === undefined ? {} : { "keyvault:credential": credential };
  configureVaultSettings({ get: (key) => settings[key] });
  const given = vault ?? vaultSettings().vaultUrl;
  if (given === undefined) {
    throw new CliError(
      "KV_USAGE",
      "no vault: name it with --vault https://NAME.vault.azure.net, or set AZURE_KEYVAULT_URL",
    );
  }
  const vaultUrl = isEmbedded(given)
    ? await embeddedVault(given.slice(EMBEDDED.length), missing !== "refuse")
    : parseVaultUrl(given);
  const { credential: chosen } = vaultSettings();
  const mayMakeVault = missing === "make";
  return { vaultUrl, client: await vaultClient({ vaultUrl, credential: credential ?? chosen, mayMakeVault }) };
}

function isEmbedded(given: string): boolean {
  return given.startsWith(EMBEDDED) && given.length > EMBEDDED.length;
}

/**
 * The address of an embedded vault.
 *
 * @throws CliError `KV_FILE`
 */
async function embeddedVault(given: string, mayBeMissing: boolean): Promise<string> {
  if (given === "memory") return `${EMBEDDED}${given}`;
  const path = homePath(given);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (mayBeMissing && error.code === "ENOENT") return undefined;
    throw new CliError(
      "KV_FILE",
      error.code === "ENOENT"
        ? `there is no embedded vault ${path}: check the path; an update or \`pulumi-keyvault emulator --store\` makes one`
        : `the embedded vault ${path} cannot be read (${error.code ?? "unknown error"}): check its name and permissions`,
    );
  });
  if (found !== undefined && (!found.isFile() || found.size === 0)) {
    throw new CliError("KV_FILE", `${path} is no file of an embedded vault: check the path`);
  }
  return `${EMBEDDED}${path}`;
}
