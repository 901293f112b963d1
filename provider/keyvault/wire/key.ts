import { z } from "zod";
import type { DeletedKeyBundle, DeletedKeyItem, KeyBundle, KeyItem, PublicJwk } from "../key-bundle.js";
import { sentAttributes, tags } from "./attributes.js";
import { AnswerSchema, present } from "./json.js";
import { objectIdentifier } from "./object-identifier.js";
import { releasePolicyCodec } from "./release-policy.js";
import { softDeletedMembers, toSoftDeleted } from "./soft-deleted.js";
import { atMost, encodedNumber, identifierWord, operationWord } from "./word.js";

/** The public half only: private members would be dropped here if a server were ever to send some. */
const wireKey = z.object({
  kid: objectIdentifier("keys"),
  kty: identifierWord,
  key_ops: atMost(64, operationWord).nullish(),
  crv: identifierWord.nullish(),
  n: encodedNumber.nullish(),
  e: encodedNumber.nullish(),
  x: encodedNumber.nullish(),
  y: encodedNumber.nullish(),
});

const bundleMembers = {
  key: wireKey,
  attributes: sentAttributes,
  tags,
  managed: z.boolean().nullish(),
  release_policy: releasePolicyCodec.nullish(),
};
const wireBundle = z.object(bundleMembers);
const wireDeletedBundle = z.object({ ...bundleMembers, ...softDeletedMembers });

const itemMembers = {
  kid: objectIdentifier("keys"),
  attributes: sentAttributes,
  tags,
  managed: z.boolean().nullish(),
};
const wireItem = z.object(itemMembers);
const wireDeletedItem = z.object({ ...itemMembers, ...softDeletedMembers });

export const keyBundle = new AnswerSchema(wireBundle.transform(toKeyBundle));
export const deletedKeyBundle = new AnswerSchema(
  wireDeletedBundle.transform(
    (wire, context): DeletedKeyBundle => ({ ...toKeyBundle(wire, context), ...toSoftDeleted(wire) }),
  ),
);
export const keyItem = new AnswerSchema(wireItem.transform(toKeyItem));
export const deletedKeyItem = new AnswerSchema(
  wireDeletedItem.transform((wire): DeletedKeyItem => ({ ...toKeyItem(wire), ...toSoftDeleted(wire) })),
);

function toKeyBundle(wire: z.output<typeof wireBundle>, context: z.RefinementCtx): KeyBundle {
  const { kid, kty, key_ops, n, e, crv, x, y } = wire.key;
  if (kid.version === undefined) {
    context.addIssue({ code: "custom", path: ["key", "kid"], message: "no version" });
    return z.NEVER;
  }
  const publicKey: PublicJwk = { kty, ...present({ n, e, crv, x, y }) };
  return {
    id: kid.id,
    name: kid.name,
    version: kid.version,
    keyType: kty,
    ...present({ curve: crv, keyOps: key_ops, releasePolicy: wire.release_policy }),
    publicKey,
    enabled: true,
    ...wire.attributes,
    // A public key tells its size itself, whatever is said of it.
    ...present({ keySize: sizeOf(publicKey) ?? wire.attributes?.keySize }),
    tags: wire.tags,
    managed: wire.managed ?? false,
  };
}

function toKeyItem(wire: z.output<typeof wireItem>): KeyItem {
  const { keySize, ...attributes } = wire.attributes ?? {};
  return {
    id: wire.kid.id,
    name: wire.kid.name,
    ...present({ version: wire.kid.version }),
    enabled: true,
    ...attributes,
    tags: wire.tags,
    managed: wire.managed ?? false,
  };
}

const CURVE_BITS: ReadonlyMap<string, number> = new Map([
  ["P-256", 256],
  ["P-256K", 256],
  ["SECP256K1", 256],
  ["P-384", 384],
  ["P-521", 521],
]);

function sizeOf({ n, crv }: PublicJwk): number | undefined {
  if (crv !== undefined) return CURVE_BITS.get(crv);
  return n === undefined ? undefined : bitLength(Buffer.from(n, "base64url"));
}

/** Bits of a big-endian number; some servers prepend a zero byte. */
function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
