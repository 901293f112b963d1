import * as pulumi from "@pulumi/pulumi";
import { configureVaultSettings } from "../provider/engine/vault-settings.js";
import type { AccessTokenSource, ListedVault } from "../provider/vault/listed-vault.js";
import { listedVaultUrl } from "../provider/vault/listing.js";

export type { AccessTokenSource } from "../provider/vault/listed-vault.js";

export interface ListOptions {
  /**
   * Who asks: a name as `keyvault:credential` takes it, that of an entry in `keyvault:credentials`, or any credential of
   * `@azure/identity`. Default: the stack's `keyvault:credential`, else `KEYVAULT_CREDENTIAL`, else `default`.
   */
  credential?: string | AccessTokenSource;
  /** Ends the listing early, with an error of code `KV_TIMEOUT`. */
  signal?: AbortSignal;
}

/** The dynamic provider gets the stack's configuration from the engine; here, in the program, it is Pulumi's own. */
export function listedVault(vaultUrl: string | undefined, options: ListOptions | undefined): ListedVault {
  configureVaultSettings({ get: (key) => pulumi.runtime.getConfig(key) });
  return { vaultUrl: listedVaultUrl(vaultUrl), credential: options?.credential, signal: options?.signal };
}
