import { since } from "../api-version.js";
import type { Context } from "../operation.js";
import { isRecord } from "../shape.js";
import type { StoredAttributes, StoredKeyVersion, StoredObject } from "../store/stored-object.js";
import { recoveryAttributes, type Vault } from "../vault.js";

/** Members with `undefined` for "absent": absent members are left out of the wire, never null. */
type Wire = Record<string, unknown>;

export const isHsmType = (keyType: string) => keyType.endsWith("-HSM");

/** What `attributes` says, in the service's order. `created` and `updated` belong to the version. */
export function renderAttributes(context: Context, attributes: StoredAttributes): Wire {
  const { recoveryLevel, recoverableDays } = recoveryAttributes(context.vault);
  return {
    enabled: attributes.enabled,
    nbf: attributes.nbf,
    exp: attributes.exp,
    created: attributes.created,
    updated: attributes.updated,
    recoveryLevel: context.apiVersion >= since.softDelete ? recoveryLevel : undefined,
    recoverableDays: context.apiVersion >= since.recoverableDays ? recoverableDays : undefined,
  };
}

function renderKeyAttributes(context: Context, object: StoredObject, version: StoredKeyVersion): Wire {
  const onVault = context.vault.plane === "vault";
  const attributes = renderAttributes(context, version.attributes);
  return {
    ...(context.apiVersion >= since.keySize ? sized(attributes, version) : attributes),
    exportable: object.managed ? undefined : (version.attributes.exportable ?? false),
    hsmPlatform:
      onVault && context.apiVersion >= since.hsmPlatform ? (isHsmType(version.key.kty) ? "1" : "0") : undefined,
  };
}

function sized({ enabled, ...attributes }: Wire, version: StoredKeyVersion): Wire {
  return { enabled, external_key: version.attributes.external_key, key_size: keySizeOf(version), ...attributes };
}

/** In bits; nobody has seen what is said of a curve. */
function keySizeOf({ key, material }: StoredKeyVersion): number | undefined {
  if (key.n !== undefined) return integerBits(Buffer.from(key.n, "base64url"));
  return typeof material.k === "string" ? Buffer.from(material.k, "base64url").length * 8 : undefined;
}

function integerBits(bytes: Buffer): number {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? 0 : (bytes.length - start) * 8 - Math.clz32(bytes[start] ?? 0) + 24;
}

const keyId = (context: Context, object: StoredObject) => `${context.origin}/keys/${object.name}`;

/** A key with its public members. Private ones have no way into this function. */
export function renderKeyBundle(context: Context, object: StoredObject, version: StoredKeyVersion): Wire {
  const { kty, key_ops, n, e, crv, x, y } = version.key;
  return plane(context.vault, {
    key: { kid: `${keyId(context, object)}/${version.version}`, kty, key_ops, crv, x, y, n, e },
    attributes: renderKeyAttributes(context, object, version),
    tags: version.tags,
    managed: object.managed ? true : undefined,
    release_policy: version.releasePolicy,
  });
}

export function renderAttestedKeyBundle(context: Context, object: StoredObject, version: StoredKeyVersion): Wire {
  const bundle = renderKeyBundle(context, object, version);
  const attributes = { ...(isRecord(bundle.attributes) ? bundle.attributes : {}), attestation };
  return plane(context.vault, { ...bundle, attributes });
}

const nothing = Buffer.from("The embedded vault attests nothing.").toString("base64url");
const attestation = {
  certificatePemFile: nothing,
  privateKeyAttestation: nothing,
  publicKeyAttestation: nothing,
  version: "EMULATOR-1",
};

/**
 * What a delete answers and what a deleted key looks like: the release policy is not part of it, nor on a Managed HSM
 * the size.
 */
export function renderDeletedKeyBundle(context: Context, object: StoredObject, version: StoredKeyVersion): Wire {
  const bundle = renderKeyBundle(context, object, version);
  delete bundle.release_policy;
  if (context.vault.plane === "managedhsm" && isRecord(bundle.attributes)) delete bundle.attributes.key_size;
  return plane(context.vault, { ...renderDeletion(context, object), ...bundle });
}

export function renderKeyItem(
  context: Context,
  object: StoredObject,
  version: StoredKeyVersion,
  withVersion: boolean,
): Wire {
  const id = keyId(context, object);
  return plane(context.vault, {
    kid: withVersion ? `${id}/${version.version}` : id,
    attributes: renderKeyAttributes(context, object, version),
    tags: version.tags,
    managed: object.managed ? true : undefined,
  });
}

export function renderDeletedKeyItem(context: Context, object: StoredObject, version: StoredKeyVersion): Wire {
  return plane(context.vault, {
    ...renderDeletion(context, object),
    ...renderKeyItem(context, object, version, false),
  });
}

/** Absent where the vault has no soft delete: a delete then answers a plain bundle. */
export function renderDeletion(context: Context, object: StoredObject): Wire {
  if (!context.vault.softDelete) return {};
  return {
    recoveryId: `${context.origin}/deleted${object.collection}/${object.name}`,
    deletedDate: object.deletedOn,
    scheduledPurgeDate: object.purgeOn,
  };
}

/** A Managed HSM writes its members in alphabetical order. */
export function plane(vault: Vault, wire: Wire): Wire {
  return vault.plane === "managedhsm" ? sorted(wire) : wire;
}

function sorted(wire: Wire): Wire {
  const out: Wire = {};
  for (const name of Object.keys(wire).sort()) {
    const value = wire[name];
    out[name] = typeof value === "object" && value !== null && !Array.isArray(value) ? sorted(value as Wire) : value;
  }
  return out;
}
