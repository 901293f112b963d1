import type { DeletedKeyItem, KeyItem } from "../provider/keyvault/key-bundle.js";
import { listing } from "../provider/vault/listing.js";
import { type ListOptions, listedVault } from "./list-options.js";

export type { DeletedKeyItem, KeyItem } from "../provider/keyvault/key-bundle.js";

/**
 * Lists the keys of a vault by their current versions, in the vault's order, page by page as they are asked for.
 * Needs keys/list.
 *
 * An ordinary function, not a resource: it asks the vault in a preview, in an update, and outside of any Pulumi
 * program. Moments are Dates; key material is in no list. Errors are {@link KeyVaultError}.
 *
 * @param vaultUrl the vault's URL, or `embedded:<file>`. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-keys/get-keys
 */
export function listKeys(vaultUrl?: string, options?: ListOptions): AsyncIterable<KeyItem> {
  return listing(listedVault(vaultUrl, options), (client, call) => client.getKeys(call));
}

/**
 * Lists the versions of a key, in the order of their random ids: sort by `createdOn`. A name that does not exist has
 * none. Needs keys/list.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key-versions/get-key-versions
 */
export function listKeyVersions(
  vaultUrl: string | undefined,
  name: string,
  options?: ListOptions,
): AsyncIterable<KeyItem> {
  return listing(listedVault(vaultUrl, options), (client, call) => client.getKeyVersions(name, call));
}

/**
 * Lists deleted keys that can still be recovered, with the moment at which each is purged. Needs keys/list.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-deleted-keys/get-deleted-keys
 */
export function listDeletedKeys(vaultUrl?: string, options?: ListOptions): AsyncIterable<DeletedKeyItem> {
  return listing(listedVault(vaultUrl, options), (client, call) => client.getDeletedKeys(call));
}
