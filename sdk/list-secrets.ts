import type { DeletedSecretItem, SecretItem } from "../provider/keyvault/secret-bundle.js";
import { listing } from "../provider/vault/listing.js";
import { type ListOptions, listedVault } from "./list-options.js";

export type { DeletedSecretItem, SecretItem } from "../provider/keyvault/secret-bundle.js";

/**
 * Lists the secrets of a vault by their current versions, never their values. Needs secrets/list.
 *
 * @param vaultUrl the vault's URL, or `embedded:<file>`. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets
 */
export function listSecrets(vaultUrl?: string, options?: ListOptions): AsyncIterable<SecretItem> {
  return listing(listedVault(vaultUrl, options), (client, call) => client.getSecrets(call));
}

/**
 * Lists deleted secrets that can still be recovered, with the moment at which each is purged. Needs secrets/list.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-deleted-secrets/get-deleted-secrets
 */
export function listDeletedSecrets(vaultUrl?: string, options?: ListOptions): AsyncIterable<DeletedSecretItem> {
  return listing(listedVault(vaultUrl, options), (client, call) => client.getDeletedSecrets(call));
}
