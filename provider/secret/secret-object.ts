import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { currentOrDisabled } from "../object/current-version.js";
import { ifPresent, type OperationDeadline } from "../object/operation-deadline.js";
import type { DeletedObject, VaultObject } from "../object/vault-object.js";
import type { ObjectAddress } from "../vault/object-address.js";

export type SecretObject = VaultObject<SecretBundle>;

/** A secret, by its name. */
export function secretObject(
  client: KeyVaultClient,
  address: ObjectAddress,
  deadline: OperationDeadline,
): SecretObject {
  const { name } = address;
  return {
    kind: "secret",
    client,
    address,
    deadline,
    label: `secret "${name}" in ${address.vaultUrl}`,
    current: () => currentSecretVersion(client, name, deadline.call),
    deleted: () => ifPresent(deletedSecret(client, name, deadline.call)),
    versions: () => client.getSecretVersions(name, deadline.call),
    disable: (version, lookAgain) =>
      client.updateSecret(name, version, { enabled: false }, { ...deadline.call, lookAgain }),
    setTags: (version, tags) => client.updateSecret(name, version, { tags }, deadline.call),
    delete: (lookAgain) => client.deleteSecret(name, { ...deadline.call, lookAgain }),
    recover: (lookAgain) => client.recoverDeletedSecret(name, { ...deadline.call, lookAgain }),
    purge: (lookAgain) => client.purgeDeletedSecret(name, { ...deadline.call, lookAgain }),
    restore: (blob) => client.restoreSecret(blob, deadline.call),
  };
}

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
): Promise<SecretBundle | undefined> {
  return currentOrDisabled({
    read: () => client.getSecret(name, undefined, options),
    versions: () => client.getSecretVersions(name, options),
    asDisabled: (version) => version,
  });
}

/**
 * A soft-deleted secret. A refusal because it is disabled proves that it is there; one about the caller proves nothing,
 * and surfaces: taken for proof it would end the wait for a deletion, or have a create recover what is not there.
 */
async function deletedSecret(client: KeyVaultClient, name: string, options: CallOptions): Promise<DeletedObject> {
  try {
    return await client.getDeletedSecret(name, options);
  } catch (error) {
    if (isKeyVaultError(error, "KV_FORBIDDEN") && error.objectDisabled) return {};
    throw error;
  }
}
