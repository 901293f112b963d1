import { constants, createDecipheriv, createPrivateKey, type JsonWebKey, privateDecrypt } from "node:crypto";
import type { Context } from "../operation.js";
import { badParameter, invalidProperties } from "../service-error.js";
import { isRecord, record, type ShapeOf, text } from "../shape.js";
import type { StoredKeyVersion } from "../store/stored-object.js";
import { curveByWireName } from "./curve.js";
import { generateKey, type KeyPair } from "./generate-key.js";
import { requireHardware, specificationOf } from "./key-rules.js";

/** The content of a `.byok` file: a private key wrapped for a key exchange key of the vault. */
const transferShape = record({
  schema_version: text(16),
  header: record({ kid: text(2048), alg: text(32), enc: text(64) }),
  ciphertext: text(32_768),
});
type Transfer = ShapeOf<typeof transferShape>;

const malformed = () => badParameter("The key transfer blob is not valid.");
const unusable = () => badParameter("The key exchange key of the transfer blob was not found or cannot be used.");

/**
 * The key inside a transfer blob, unwrapped with the key exchange key that it names (CKM_RSA_AES_KEY_WRAP: an AES key
 * under RSA-OAEP, then the PKCS#8 key under that AES key).
 *
 * @throws ServiceError 400 when the blob is damaged or was made for another vault.
 */
export async function openTransfer(context: Context, jwk: Record<string, unknown>, encoded: string): Promise<KeyPair> {
  const keyType = jwk.kty;
  const takesOctets = context.vault.plane === "managedhsm";
  if (keyType !== "RSA-HSM" && keyType !== "EC-HSM" && !(takesOctets && keyType === "oct-HSM")) {
    throw invalidProperties();
  }
  requireHardware(context.vault);
  const transfer = readTransfer(encoded);
  const exchangeKey = context.store.transaction("read", () => findExchangeKey(context, transfer.header.kid));
  const curve = typeof jwk.crv === "string" ? jwk.crv : undefined;
  if (exchangeKey === undefined) {
    if (context.vault.foreignTransfers === "refuse") throw unusable();
    return generateKey(specificationOf(context.vault, keyType, undefined, curve));
  }
  const pair = unwrap(exchangeKey, transfer, keyType === "oct-HSM" ? readOctets : readPair);
  if (pair.kty !== keyType.slice(0, -4)) throw malformed();
  if (pair.kty === "oct") return { public: { kty: keyType }, material: { ...pair } };
  if (pair.kty === "RSA") {
    return { public: { kty: keyType, n: pair.n ?? "", e: pair.e ?? "" }, material: { ...pair } };
  }
  const named = curve === undefined ? undefined : curveByWireName(curve);
  if (curve !== undefined && named?.jose !== pair.crv) throw malformed();
  const wire = curve ?? (pair.crv === "secp256k1" ? "P-256K" : (pair.crv ?? ""));
  return { public: { kty: keyType, crv: wire, x: pair.x ?? "", y: pair.y ?? "" }, material: { ...pair } };
}

function readTransfer(encoded: string): Transfer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
  } catch {
    throw malformed();
  }
  const transfer = isRecord(parsed) ? transferShape.check(parsed) : undefined;
  if (transfer === undefined) throw malformed();
  const { alg, enc } = transfer.value.header;
  if (alg !== "dir" || enc !== "CKM_RSA_AES_KEY_WRAP") throw malformed();
  return transfer.value;
}

function findExchangeKey({ store, vault, seconds }: Context, kid: string): StoredKeyVersion | undefined {
  const found = /\/keys\/([0-9a-zA-Z-]{1,127})\/([0-9a-f]{32})$/i.exec(kid);
  const object = found?.[1] === undefined ? undefined : store.find(vault.name, "keys", found[1]);
  if (object === undefined || object.phase !== "active") return undefined;
  const version = store.version({ ...object, collection: "keys" }, found?.[2] ?? "");
  if (version === undefined || version.key.n === undefined || !version.key.key_ops.includes("import")) return undefined;
  const { enabled, exp } = version.attributes;
  if (!enabled || (exp !== undefined && exp <= seconds)) throw unusable();
  return version;
}

const readPair = (pkcs8: Buffer): JsonWebKey =>
  createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ format: "jwk" });

/** A symmetric key is its bytes. */
function readOctets(bytes: Buffer): JsonWebKey {
  if (![16, 24, 32].includes(bytes.length)) throw malformed();
  return { kty: "oct", k: bytes.toString("base64url") };
}

function unwrap(
  exchangeKey: StoredKeyVersion,
  transfer: Transfer,
  read: (plaintext: Buffer) => JsonWebKey,
): JsonWebKey {
  try {
    const key = createPrivateKey({ key: exchangeKey.material, format: "jwk" });
    const bytes = Buffer.from(transfer.ciphertext, "base64url");
    const width = Buffer.from(exchangeKey.key.n ?? "", "base64url").length;
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
    const wrappingKey = privateDecrypt({ key, ...padding }, bytes.subarray(0, width));
    // RFC 5649's initial value.
    const decipher = createDecipheriv("id-aes256-wrap-pad", wrappingKey, Buffer.from("a65959a6", "hex"));
    return read(Buffer.concat([decipher.update(bytes.subarray(width)), decipher.final()]));
  } catch {
    throw malformed();
  }
}
