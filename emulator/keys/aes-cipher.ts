import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** The algorithms of symmetric keys, by their names on the wire. */
export interface AesAlgorithm {
  readonly bits: number;
  readonly mode: "gcm" | "cbc" | "kw" | "kwp";
  /** CBC with PKCS#7 padding. */
  readonly padded: boolean;
}

export interface Sealed {
  readonly value: Buffer;
  readonly iv?: Buffer;
  readonly tag?: Buffer;
}

/** @param keyBits of the key, for the names that say no size. */
export function aesAlgorithm(name: string, keyBits: number): AesAlgorithm | undefined {
  if (name === "CKM_AES_KEY_WRAP") return { bits: keyBits, mode: "kw", padded: false };
  if (name === "CKM_AES_KEY_WRAP_PAD") return { bits: keyBits, mode: "kwp", padded: true };
  const found = /^A(128|192|256)(GCM|CBC|CBCPAD|KW)$/.exec(name);
  if (found === null) return undefined;
  const mode = found[2] === "GCM" ? "gcm" : found[2] === "KW" ? "kw" : "cbc";
  return { bits: Number(found[1]), mode, padded: found[2] === "CBCPAD" };
}

/** Initial values of key wrap (RFC 3394) and of key wrap with padding (RFC 5649), by OpenSSL's name of the cipher. */
const wraps = {
  kw: { suffix: "wrap", iv: Buffer.alloc(8, 0xa6) },
  kwp: { suffix: "wrap-pad", iv: Buffer.from("a65959a6", "hex") },
};

/** @throws Error from OpenSSL when sizes do not fit. */
export function aesSeal(
  algorithm: AesAlgorithm,
  key: Buffer,
  plaintext: Buffer,
  iv: Buffer | undefined,
  aad: Buffer | undefined,
): Sealed {
  if (algorithm.mode === "gcm") {
    const nonce = randomBytes(12);
    const cipher = createCipheriv(`aes-${bitsOf(algorithm)}-gcm`, key, nonce);
    if (aad !== undefined) cipher.setAAD(aad);
    const value = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { value, iv: nonce, tag: cipher.getAuthTag() };
  }
  if (algorithm.mode === "kw" || algorithm.mode === "kwp") {
    const { suffix, iv: initial } = wraps[algorithm.mode];
    const cipher = createCipheriv(`aes${algorithm.bits}-${suffix}`, key, initial);
    return { value: Buffer.concat([cipher.update(plaintext), cipher.final()]) };
  }
  const start = iv ?? randomBytes(16);
  const cipher = createCipheriv(`aes-${algorithm.bits}-cbc`, key, start).setAutoPadding(algorithm.padded);
  return { value: Buffer.concat([cipher.update(plaintext), cipher.final()]), iv: start };
}

/** @throws Error from OpenSSL when the ciphertext is not what it was. */
export function aesOpen(algorithm: AesAlgorithm, key: Buffer, sealed: Sealed, aad: Buffer | undefined): Buffer {
  if (algorithm.mode === "gcm") {
    const decipher = createDecipheriv(`aes-${bitsOf(algorithm)}-gcm`, key, sealed.iv ?? Buffer.alloc(0));
    decipher.setAuthTag(sealed.tag ?? Buffer.alloc(0));
    if (aad !== undefined) decipher.setAAD(aad);
    return Buffer.concat([decipher.update(sealed.value), decipher.final()]);
  }
  if (algorithm.mode === "kw" || algorithm.mode === "kwp") {
    const { suffix, iv } = wraps[algorithm.mode];
    const decipher = createDecipheriv(`aes${algorithm.bits}-${suffix}`, key, iv);
    return Buffer.concat([decipher.update(sealed.value), decipher.final()]);
  }
  const decipher = createDecipheriv(`aes-${algorithm.bits}-cbc`, key, sealed.iv ?? Buffer.alloc(0));
  decipher.setAutoPadding(algorithm.padded);
  return Buffer.concat([decipher.update(sealed.value), decipher.final()]);
}

const bitsOf = ({ bits }: AesAlgorithm) => bits as 128 | 192 | 256;
