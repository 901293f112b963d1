import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt, randomBytes } from "node:crypto";

/** RSA signatures over a digest that is already there (RFC 8017): PKCS#1 v1.5 and PSS. */
export type RsaScheme = "pkcs1" | "pss";
export type DigestName = "sha256" | "sha384" | "sha512";

const digestInfo: Record<DigestName, string> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

export function signRsa(key: KeyObject, scheme: RsaScheme, hash: DigestName, digest: Buffer): Buffer {
  if (scheme === "pkcs1") return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, wrapped(hash, digest));
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 2048) - 1;
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(hash, digest, bits, widthOf(key)));
}

export function verifyRsa(
  key: KeyObject,
  scheme: RsaScheme,
  hash: DigestName,
  digest: Buffer,
  signature: Buffer,
): boolean {
  try {
    if (scheme === "pkcs1") {
      return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).equals(wrapped(hash, digest));
    }
    const bits = (key.asymmetricKeyDetails?.modulusLength ?? 2048) - 1;
    return matchesPss(publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature), hash, digest, bits);
  } catch {
    return false;
  }
}

const wrapped = (hash: DigestName, digest: Buffer) => Buffer.concat([Buffer.from(digestInfo[hash], "hex"), digest]);

const widthOf = (key: KeyObject) => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 2048) / 8);

/** EMSA-PSS with a salt as long as the digest, left-padded to the width of the modulus. */
function encodePss(hash: DigestName, digest: Buffer, bits: number, width: number): Buffer {
  const length = Math.ceil(bits / 8);
  const salt = randomBytes(digest.length);
  const tail = pssHash(hash, digest, salt);
  const block = Buffer.alloc(length - tail.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  const masked = xor(block, mask(hash, tail, block.length));
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * length - bits));
  const encoded = Buffer.concat([masked, tail, Buffer.from([0xbc])]);
  return Buffer.concat([Buffer.alloc(width - encoded.length), encoded]);
}

function matchesPss(full: Buffer, hash: DigestName, digest: Buffer, bits: number): boolean {
  const length = Math.ceil(bits / 8);
  const encoded = full.subarray(full.length - length);
  if (full.subarray(0, full.length - length).some((byte) => byte !== 0) || encoded[length - 1] !== 0xbc) return false;
  const tail = encoded.subarray(length - digest.length - 1, length - 1);
  const block = xor(encoded.subarray(0, length - digest.length - 1), mask(hash, tail, length - digest.length - 1));
  block[0] = (block[0] ?? 0) & (0xff >> (8 * length - bits));
  const one = block.indexOf(1);
  if (one === -1 || block.subarray(0, one).some((byte) => byte !== 0)) return false;
  return pssHash(hash, digest, block.subarray(one + 1)).equals(tail);
}

const pssHash = (hash: DigestName, digest: Buffer, salt: Buffer) =>
  createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();

/** MGF1. */
function mask(hash: DigestName, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0, made = 0; made < length; index += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(index);
    const block = createHash(hash).update(seed).update(counter).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
