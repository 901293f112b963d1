import { since } from "../api-version.js";
import { generateKey, type KeyPair } from "../keys/generate-key.js";
import { renderKeyBundle } from "../keys/key-bundle.js";
import {
  defaultKeyOperations,
  exchangeKeySeconds,
  keyOperations,
  specificationOf,
  storedKeyType,
} from "../keys/key-rules.js";
import { readReleasePolicy, releasePolicyRules } from "../keys/release-policy.js";
import { writable } from "../object/lifecycle.js";
import { addVersion, attributesRules, newAttributes, newVersionId } from "../object/new-version.js";
import { type Context, defineOperation } from "../operation.js";
import { integer, isRecord, list, oneOf, optional, record, tagMap, text } from "../shape.js";
import type { StoredKeyVersion, StoredReleasePolicy } from "../store/stored-object.js";

/** Makes a key, or a new version of the key that has the name. */
export const createKey = defineOperation({
  name: "createKey",
  method: "POST",
  routes: ["/keys/{name}/create"],
  permission: { collection: "keys", action: "create", dataAction: "create" },
  throttle: "keyCreate",
  mode: "write",
  complete: (context, json) => {
    if (!isRecord(json) || !isExternal(context, json.attributes)) return json;
    return { kty: "oct-HSM", key_size: 256, key_ops: ["wrapKey", "unwrapKey"], ...json };
  },
  body: record({
    kty: text(64),
    key_size: optional(integer(0, 1_000_000)),
    crv: optional(text(64)),
    /** Accepted and without effect: the exponent is always 65537. */
    public_exponent: optional(integer(0, Number.MAX_SAFE_INTEGER)),
    key_ops: optional(list(oneOf(...keyOperations))),
    attributes: optional(record({ ...attributesRules.members, external_key: optional(record({ id: text(256) })) })),
    tags: optional(tagMap(256)),
    release_policy: optional(releasePolicyRules),
  }),
  prepare: async (context, body): Promise<{ pair: KeyPair; releasePolicy: StoredReleasePolicy | undefined }> => {
    const specification = specificationOf(context.vault, body.kty, body.key_size, body.crv, context.apiVersion);
    const keyType = storedKeyType(context.vault, body.kty, false);
    const releasePolicy = readReleasePolicy(context.vault, keyType, body.attributes?.exportable, body.release_policy);
    context.store.transaction("read", () => writable(context, "keys"));
    return { pair: await generateKey({ ...specification, keyType }), releasePolicy };
  },
  handle: (context, body, { pair, releasePolicy }) => {
    const { vault, seconds } = context;
    const attributes = newAttributes(seconds, body.attributes);
    if (!isExternal(context, body.attributes)) delete attributes.external_key;
    const operations = body.key_ops ?? defaultKeyOperations(vault, body.kty);
    if (vault.plane === "vault" && operations.length === 1 && operations[0] === "import") {
      attributes.exp = seconds + exchangeKeySeconds;
    }
    const version: StoredKeyVersion = {
      version: newVersionId(),
      attributes,
      ...(body.tags === undefined ? {} : { tags: body.tags }),
      key: { ...pair.public, key_ops: operations },
      material: pair.material,
      ...(releasePolicy === undefined ? {} : { releasePolicy }),
    };
    const object = addVersion(context, "keys", writable(context, "keys"), version);
    return { status: 200, body: renderKeyBundle(context, object, version) };
  },
});

/** A Managed HSM of 2026 can stand for a key in another HSM, and then needs nothing but that key's id. */
function isExternal({ vault, apiVersion }: Context, attributes: unknown): boolean {
  if (vault.plane !== "managedhsm" || apiVersion < since.keySize) return false;
  return isRecord(attributes) && attributes.external_key !== undefined;
}
