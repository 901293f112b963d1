import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { DeletedKeyBundle, KeyBundle, SoftDeleted } from "../keyvault/key-bundle.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { currentSecretVersion } from "../secret/current-secret-version.js";
import { type ObjectAddress, objectLabel } from "../vault/object-address.js";
import { ifPresent, type OperationDeadline } from "./operation-deadline.js";

/** What the life of a key and of a secret have in common: one of them, by its name. */
export interface VaultObject<Bundle, Deleted extends SoftDeleted & { version?: string }> {
  readonly kind: "key" | "secret";
  /** `key "orders" in https://v.vault.azure.net`, the subject of every message. */
  readonly label: string;
  /** The current version, undefined where the object is not there. */
  current(): Promise<Bundle | undefined>;
  /** What is soft-deleted under the name. Of a disabled secret the service tells no more than that it is there. */
  deleted(): Promise<Deleted | undefined>;
  disable(): Promise<unknown>;
  delete(): Promise<unknown>;
  recover(): Promise<unknown>;
  purge(): Promise<void>;
  restore(blob: string): Promise<Bundle>;
}

type HiddenSecret = SoftDeleted & { version?: string };

export function keyObject(
  client: KeyVaultClient,
  address: ObjectAddress,
  deadline?: OperationDeadline,
): VaultObject<KeyBundle, DeletedKeyBundle> {
  const call = (): CallOptions => deadline?.call ?? {};
  const { name } = address;
  return {
    kind: "key",
    label: objectLabel("key", address),
    current: () => ifPresent(client.getKey(name, undefined, call())),
    deleted: () => ifPresent(client.getDeletedKey(name, call())),
    disable: async () => {
      const { version } = await client.getKey(name, undefined, call());
      return client.updateKey(name, version, { enabled: false }, call());
    },
    delete: () => client.deleteKey(name, call()),
    recover: () => client.recoverDeletedKey(name, call()),
    purge: () => client.purgeDeletedKey(name, call()),
    restore: (blob) => client.restoreKey(blob, call()),
  };
}

export function secretObject(
  client: KeyVaultClient,
  address: ObjectAddress,
  deadline?: OperationDeadline,
): VaultObject<SecretBundle, HiddenSecret> {
  const call = (): CallOptions => deadline?.call ?? {};
  const { name } = address;
  return {
    kind: "secret",
    label: objectLabel("secret", address),
    current: () => ifPresent(currentSecretVersion(client, name, call())),
    deleted: () => ifPresent(deletedSecret(client, name, call())),
    disable: () => client.updateSecret(name, undefined, { enabled: false }, call()),
    delete: () => client.deleteSecret(name, call()),
    recover: () => client.recoverDeletedSecret(name, call()),
    purge: () => client.purgeDeletedSecret(name, call()),
    restore: (blob) => client.restoreSecret(blob, call()),
  };
}

/** Inner codes with which the service refuses to show a deleted secret because it is disabled. */
const HIDDEN: readonly (string | undefined)[] = ["SecretDisabled", "AccessDenied", undefined];

/** A soft-deleted secret. A refusal because it is disabled proves that it is there; other refusals prove nothing. */
async function deletedSecret(client: KeyVaultClient, name: string, options: CallOptions): Promise<HiddenSecret> {
  try {
    return await client.getDeletedSecret(name, options);
  } catch (error) {
    if (isKeyVaultError(error, "KV_FORBIDDEN") && HIDDEN.includes(error.innerCode)) return {};
    throw error;
  }
}
