import type { KeyVaultClient } from "../keyvault/client.js";
import type { KeyItem } from "../keyvault/key-bundle.js";
import { mayBeDisabled, newestDisabledVersion } from "../object/current-version.js";

type NewestKeyVersion = Pick<KeyItem, "name" | "createdOn" | "updatedOn"> & { version: string };

/**
 * The current version of a key. Of a disabled one that a server does not show, the list of versions tells it.
 * Needs keys/get, and keys/list for a disabled key on such a server.
 *
 * @throws KeyVaultError `KV_NOT_FOUND`
 */
export async function newestKeyVersion(client: KeyVaultClient, name: string): Promise<NewestKeyVersion> {
  try {
    return await client.getKey(name);
  } catch (error) {
    if (!mayBeDisabled(error)) throw error;
    const newest = await newestDisabledVersion(client.getKeyVersions(name)).catch(() => undefined);
    if (newest) return newest;
    throw error;
  }
}
