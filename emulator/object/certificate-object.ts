import { forbidden } from "../service-error.js";
import type { Store } from "../store/store.js";
import type { StoredCollection, StoredObject } from "../store/stored-object.js";

/** @throws ServiceError 403 where the object's lifetime belongs to a certificate. */
export function requireOwnLifetime(object: StoredObject, verb: "delete" | "purge" | "recover"): void {
  if (!object.managed) return;
  if (object.collection === "keys") {
    throw forbidden(
      `Operation "${verb}" is not allowed as this object's lifetime is managed by Key Vault.`,
      "KeyManagedByKeyVault",
    );
  }
  throw forbidden(
    `Operation "${verb}" is not allowed on this secret, since it is associated with a certificate. Perform the operation on the corresponding certificate. For more information refer to https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates#composition-of-a-certificate`,
    "SecretManagedByKeyVault",
  );
}

/**
 * Makes an object look and behave as the half of a certificate that it is for the service: `managed`, and deleted with
 * its certificate only. A secret also names the key of the same version.
 *
 * @throws RangeError when there is no such object.
 */
export function giveToCertificate(
  store: Store,
  vault: { readonly name: string; readonly url: string },
  collection: StoredCollection,
  name: string,
  managed: boolean,
): void {
  store.transaction("write", () => {
    const object = store.find(vault.name, collection, name);
    if (object === undefined) throw new RangeError(`The vault has no ${collection} object of that name.`);
    object.managed = managed;
    store.save(object);
    if (object.collection !== "secrets" || !managed) return;
    const secret = { ...object, collection: "secrets" } as const;
    for (const version of store.versions(secret)) {
      const kid = `${vault.url}/keys/${object.name}/${version.version}`;
      store.saveVersion(secret, { ...version, contentType: version.contentType ?? "application/x-pkcs12", kid });
    }
  });
}
