import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { currentOrDisabled } from "../object/current-version.js";
import { ifPresent, type OperationDeadline } from "../object/operation-deadline.js";
import type { VaultObject } from "../object/vault-object.js";
import type { ObjectAddress } from "../vault/object-address.js";

/** A key, by its name. */
export function keyObject(
  client: KeyVaultClient,
  address: ObjectAddress,
  deadline: OperationDeadline,
): VaultObject<KeyBundle> {
  const { name } = address;
  return {
    kind: "key",
    client,
    address,
    deadline,
    label: `key "${name}" in ${address.vaultUrl}`,
    current: () => currentKeyVersion(client, name, deadline.call),
    deleted: () => ifPresent(client.getDeletedKey(name, deadline.call)),
    versions: () => client.getKeyVersions(name, deadline.call),
    disable: (version, lookAgain) =>
      client.updateKey(name, version, { enabled: false }, { ...deadline.call, lookAgain }),
    setTags: (version, tags) => client.updateKey(name, version, { tags }, deadline.call),
    delete: (lookAgain) => client.deleteKey(name, { ...deadline.call, lookAgain }),
    recover: (lookAgain) => client.recoverDeletedKey(name, { ...deadline.call, lookAgain }),
    purge: (lookAgain) => client.purgeDeletedKey(name, { ...deadline.call, lookAgain }),
    restore: (blob) => client.restoreKey(blob, deadline.call),
  };
}

/**
 * The current version of a key. The service shows disabled keys; of one that another server does not show, the list of
 * versions tells the attributes, and type and public key stay unknown (`keyType` is empty).
 *
 * Permissions: keys/get, and keys/list for a disabled key on such a server.
 */
export async function currentKeyVersion(
  client: KeyVaultClient,
  name: string,
  options: CallOptions = {},
): Promise<KeyBundle | undefined> {
  return currentOrDisabled({
    read: () => client.getKey(name, undefined, options),
    versions: () => client.getKeyVersions(name, options),
    asDisabled: (version) => ({ ...version, keyType: "", publicKey: { kty: "" } }),
  });
}

/** Whether a key's type and public key could not be read, since it is disabled on a server that hides such keys. */
export function isHidden(bundle: Pick<KeyBundle, "keyType">): boolean {
  return bundle.keyType === "";
}
