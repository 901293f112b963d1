import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** What the content key comes from: wrapped with RSA, or shared. */
export type JweKey =
  | { readonly alg: "RSA-OAEP-256"; readonly key: KeyObject }
  | { readonly alg: "dir"; readonly key: Buffer };

/** A compact JWE (RFC 7516) with A256CBC-HS512, as the service's backups are. */
export function sealJwe(header: Record<string, string>, key: JweKey, plaintext: Buffer): string {
  const contentKey = key.alg === "dir" ? key.key : randomBytes(64);
  const wrapped = key.alg === "dir" ? Buffer.alloc(0) : publicEncrypt(oaep(createPublicKey(key.key)), contentKey);
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString("base64url");
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", contentKey.subarray(32), iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const tag = tagOf(contentKey, protectedHeader, iv, ciphertext);
  return [protectedHeader, ...[wrapped, iv, ciphertext, tag].map((part) => part.toString("base64url"))].join(".");
}

/** The plaintext, or nothing when a single bit is not as it was. */
export function openJwe(jwe: string, key: JweKey): Buffer | undefined {
  const [header, ...encoded] = jwe.split(".");
  const [wrapped, iv, ciphertext, tag] = encoded.map((part) => Buffer.from(part, "base64url"));
  if (header === undefined || !wrapped || !iv || !ciphertext || !tag || encoded.length !== 4) return undefined;
  try {
    const contentKey = key.alg === "dir" ? key.key : privateDecrypt(oaep(key.key), wrapped);
    const expected = tagOf(contentKey, header, iv, ciphertext);
    if (tag.length !== expected.length || !timingSafeEqual(tag, expected)) return undefined;
    const decipher = createDecipheriv("aes-256-cbc", contentKey.subarray(32), iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return undefined;
  }
}

const oaep = (key: KeyObject) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" });

function tagOf(contentKey: Buffer, header: string, iv: Buffer, ciphertext: Buffer): Buffer {
  const bits = Buffer.alloc(8);
  bits.writeBigUInt64BE(BigInt(header.length * 8));
  const mac = createHmac("sha512", contentKey.subarray(0, 32))
    .update(header)
    .update(iv)
    .update(ciphertext)
    .update(bits);
  return mac.digest().subarray(0, 32);
}
