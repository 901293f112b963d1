import type { KeyPair } from "../keys/generate-key.js";
import { notAKey, readImportedKey } from "../keys/import-key.js";
import { renderKeyBundle } from "../keys/key-bundle.js";
import { defaultKeyOperations, keyOperations, storedKeyType } from "../keys/key-rules.js";
import { readReleasePolicy, releasePolicyRules } from "../keys/release-policy.js";
import { openTransfer } from "../keys/transfer-blob.js";
import { writable } from "../object/lifecycle.js";
import { addVersion, attributesRules, newAttributes, newVersionId } from "../object/new-version.js";
import { type Context, defineOperation } from "../operation.js";
import { anyRecord, flag, list, oneOf, optional, record, tagMap } from "../shape.js";
import type { StoredKeyVersion } from "../store/stored-object.js";

/** Stores a key pair from outside, as a new key or as a new version. */
export const importKey = defineOperation({
  name: "importKey",
  method: "PUT",
  routes: ["/keys/{name}"],
  permission: { collection: "keys", action: "import", dataAction: "import" },
  throttle: "key",
  mode: "write",
  body: record({
    Hsm: optional(flag()),
    key: optional(anyRecord()),
    attributes: optional(attributesRules),
    tags: optional(tagMap(256)),
    release_policy: optional(releasePolicyRules),
  }),
  prepare: async (context, body): Promise<{ pair: KeyPair; operations: string[] }> => {
    const jwk = body.key;
    if (jwk === undefined || typeof jwk.kty !== "string") throw notAKey(context.vault);
    const pair = await readPair(context, jwk, body.Hsm ?? false);
    return { pair, operations: operationsOf(context, jwk) ?? defaultKeyOperations(context.vault, pair.public.kty) };
  },
  handle: (context, body, { pair, operations }) => {
    const releasePolicy = readReleasePolicy(
      context.vault,
      pair.public.kty,
      body.attributes?.exportable,
      body.release_policy,
    );
    const version: StoredKeyVersion = {
      version: newVersionId(),
      attributes: newAttributes(context.seconds, body.attributes),
      ...(body.tags === undefined ? {} : { tags: body.tags }),
      key: { ...pair.public, key_ops: operations },
      material: pair.material,
      ...(releasePolicy === undefined ? {} : { releasePolicy }),
    };
    const object = addVersion(context, "keys", writable(context, "keys"), version);
    return { status: 200, body: renderKeyBundle(context, object, version) };
  },
});

/** A transfer blob (BYOK) stands in for the private members, and is always a hardware key. */
async function readPair(context: Context, jwk: Record<string, unknown>, hardware: boolean): Promise<KeyPair> {
  if (typeof jwk.key_hsm === "string") return openTransfer(context, jwk, jwk.key_hsm);
  const pair = readImportedKey(context.vault, jwk);
  return { ...pair, public: { ...pair.public, kty: storedKeyType(context.vault, pair.public.kty, hardware) } };
}

function operationsOf(context: Context, jwk: Record<string, unknown>): string[] | undefined {
  if (jwk.key_ops === undefined || jwk.key_ops === null) return undefined;
  const operations = list(oneOf(...keyOperations)).check(jwk.key_ops);
  if (operations === undefined) throw notAKey(context.vault);
  return operations.value;
}
