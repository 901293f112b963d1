import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";

/**
 * The current version of a secret. A disabled one answers 403 to a read, which does not mean that it is gone: its
 * attributes are then taken from the list of versions, and its value stays unknown.
 *
 * Permissions: secrets/get, and secrets/list for disabled secrets.
 */
export async function currentSecretVersion(
  client: KeyVaultClient,
  name: string,
  options: CallOptions = {},
): Promise<SecretBundle> {
  try {
    return await client.getSecret(name, undefined, options);
  } catch (error) {
    if (!isKeyVaultError(error) || error.innerCode !== "SecretDisabled") throw error;
    let newest: SecretBundle | undefined;
    for await (const item of client.getSecretVersions(name, options)) {
      const { version } = item;
      // The current version is disabled, or it would have been read.
      if (version === undefined || item.enabled) continue;
      if (!newest || createdAt(item) > createdAt(newest)) newest = { ...item, version };
    }
    if (!newest) throw error;
    return newest;
  }
}

function createdAt(item: { createdOn?: Date }): number {
  return item.createdOn?.getTime() ?? 0;
}
