import { generateKeyNow, type KeyPair, type KeySpecification } from "../keys/generate-key.js";
import { expiryUnder, nextRotation } from "../keys/rotation-policy.js";
import { newVersionId } from "../object/new-version.js";
import type { Store } from "../store/store.js";
import type { StoredKeyVersion, StoredObject } from "../store/stored-object.js";

const atOnce = 100;

/** Does what time has brought: ends of retention, settled purges, rotations. Called before each request is looked at. */
export function catchUp(store: Store, now: number): void {
  while (store.hasDue(now)) {
    store.transaction("write", () => {
      for (const object of store.due(now, atOnce)) act(store, object);
    });
  }
}

function act(store: Store, object: StoredObject): void {
  if (object.phase !== "active") store.remove(object);
  else if (object.collection === "keys") rotate(store, { ...object, collection: "keys" });
  else store.save({ ...object, dueAt: undefined });
}

function rotate(store: Store, object: StoredObject & { collection: "keys" }): void {
  const current = store.version(object, object.current);
  const dueAt = object.dueAt;
  if (current === undefined || dueAt === undefined) {
    store.save({ ...object, dueAt: undefined });
    return;
  }
  addRotation(store, object, current, Math.floor(dueAt / 1000));
}

/** The next version of a key: same type, size and attributes, new material, an expiry by the policy. */
export function addRotation(
  store: Store,
  object: StoredObject & { collection: "keys" },
  current: StoredKeyVersion,
  created: number,
  pair: KeyPair = generateKeyNow(specificationOfVersion(current)),
): StoredKeyVersion {
  const exp = expiryUnder(object.rotationPolicy, created);
  const { exp: _old, nbf: _notBefore, ...attributes } = current.attributes;
  const version: StoredKeyVersion = {
    ...current,
    version: newVersionId(),
    attributes: { ...attributes, enabled: true, created, updated: created, ...(exp === undefined ? {} : { exp }) },
    key: { ...pair.public, key_ops: current.key.key_ops },
    material: pair.material,
  };
  object.current = version.version;
  object.dueAt = nextRotation(object.rotationPolicy, version.attributes);
  store.saveVersion(object, version);
  store.save(object);
  return version;
}

/** What to make to have another key of the same kind. */
export function specificationOfVersion(version: StoredKeyVersion): KeySpecification {
  const { kty, crv, n } = version.key;
  const k = version.material.k;
  const octets = typeof k === "string" ? Buffer.from(k, "base64url").length : 32;
  const size = n === undefined ? octets * 8 : Math.floor(Buffer.from(n, "base64url").length / 128) * 1024;
  return { keyType: kty, size, curve: crv };
}
