import type { KeyVaultClient } from "../keyvault/client.js";
import { KeyVaultError } from "../keyvault/errors.js";
import type { SecretItem } from "../keyvault/secret-bundle.js";
import { mayBeDisabled } from "../object/current-version.js";
import { tellIfManyVersions } from "../object/many-versions.js";

type NewestSecretVersion = SecretItem & { version: string };

/**
 * The newest version of a secret, without reading its value: a backup has no business with it, and every read of a
 * value stands in the vault's audit log. Works for disabled secrets too. Needs secrets/list.
 *
 * @throws KeyVaultError `KV_NOT_FOUND`
 */
export async function newestSecretVersion(client: KeyVaultClient, name: string): Promise<NewestSecretVersion> {
  let count = 0;
  let newest: NewestSecretVersion[] = [];
  for await (const item of client.getSecretVersions(name)) {
    const { version } = item;
    if (version === undefined) continue;
    count++;
    const difference = createdAt(item) - (newest[0] ? createdAt(newest[0]) : Number.NEGATIVE_INFINITY);
    if (difference > 0) newest = [{ ...item, version }];
    else if (difference === 0) newest.push({ ...item, version });
  }
  const [only, ...others] = newest;
  if (!only) {
    throw new KeyVaultError("KV_NOT_FOUND", `there is no secret "${name}" in ${client.vaultUrl}`, {
      operation: "getSecretVersions",
      vaultUrl: client.vaultUrl,
      objectName: name,
      hint: "check the name and the vault; if it was deleted it may be recoverable",
    });
  }
  tellIfManyVersions(`secret "${name}" in ${client.vaultUrl}`, count);
  // Moments are whole seconds, and the list is in no order of time: of two in one second only a read knows the newer.
  if (others.length === 0) return only;
  try {
    return await client.getSecret(name);
  } catch (error) {
    // Of a disabled one it tells nothing, and so that the disabled one is the newer.
    const disabled = mayBeDisabled(error) ? newest.find(({ enabled }) => !enabled) : undefined;
    if (disabled) return disabled;
    throw error;
  }
}

function createdAt(item: SecretItem): number {
  return item.createdOn?.getTime() ?? 0;
}
