import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  timingSafeEqual,
} from "node:crypto";
import { type ApiVersion, since } from "../api-version.js";
import { badParameter, forbidden } from "../service-error.js";
import type { StoredKeyVersion } from "../store/stored-object.js";
import { type AesAlgorithm, aesAlgorithm, aesOpen, aesSeal, type Sealed } from "./aes-cipher.js";
import { curveByWireName, type NamedCurve } from "./curve.js";
import { signDigest, verifyDigest } from "./elliptic-signature.js";
import { type DigestName, type RsaScheme, signRsa, verifyRsa } from "./rsa-signature.js";

export type KeyUseName = "encrypt" | "decrypt" | "sign" | "verify" | "wrapKey" | "unwrapKey";

const incorrect = () => badParameter("The parameter is incorrect.\r\n");

/** A disabled key still serves what needs its public part only; dates stop what makes something new. */
const stoppedByDisabling: readonly KeyUseName[] = ["decrypt", "sign", "unwrapKey"];
const stoppedByDates: readonly KeyUseName[] = ["encrypt", "sign", "wrapKey"];

/** @throws ServiceError 403 when the version must not do this, now. */
export function requireUsable(version: StoredKeyVersion, operation: KeyUseName, seconds: number): void {
  const { enabled, nbf, exp } = version.attributes;
  if (!enabled && stoppedByDisabling.includes(operation)) {
    throw forbidden(`Operation ${operation} is not allowed on a disabled key.`, "KeyDisabled");
  }
  if (exp !== undefined && seconds >= exp && stoppedByDates.includes(operation)) {
    throw forbidden(`Operation ${operation} is not allowed on an expired key.`, "KeyExpired");
  }
  if (nbf !== undefined && seconds < nbf && stoppedByDates.includes(operation)) {
    throw forbidden(`Operation ${operation} is not allowed on a not yet valid key.`, "KeyNotYetValid");
  }
  if (!version.key.key_ops.includes(operation)) {
    throw forbidden(`Operation ${operation} is not permitted on this key.`, "KeyOperationForbidden");
  }
}

const oaep: Record<string, { padding: number; oaepHash?: string }> = {
  "RSA-OAEP": { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
  "RSA-OAEP-256": { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
  RSA1_5: { padding: constants.RSA_PKCS1_PADDING },
};

/** Encrypts or wraps. @throws ServiceError 400. */
export function seal(
  kid: string,
  version: StoredKeyVersion,
  algorithm: string,
  plaintext: Buffer,
  extra: Extra,
): Sealed {
  const aes = octets(version, algorithm);
  if (aes !== undefined) return attempt(() => aesSeal(aes.algorithm, aes.key, plaintext, extra.iv, extra.aad));
  const padding = rsaPadding(kid, version, algorithm);
  return attempt(() => ({
    value: publicEncrypt({ key: createPublicKey(privateKeyOf(version)), ...padding }, plaintext),
  }));
}

/** Decrypts or unwraps. @throws ServiceError 400. */
export function open(kid: string, version: StoredKeyVersion, algorithm: string, sealed: Sealed, extra: Extra): Buffer {
  const aes = octets(version, algorithm);
  if (aes !== undefined) return attempt(() => aesOpen(aes.algorithm, aes.key, sealed, extra.aad));
  const padding = rsaPadding(kid, version, algorithm);
  const key = privateKeyOf(version);
  if (padding.padding === constants.RSA_PKCS1_PADDING) return attempt(() => openPkcs1(key, sealed.value));
  return attempt(() => privateDecrypt({ key, ...padding }, sealed.value));
}

/** The service says when the padding is wrong; OpenSSL answers a random plaintext instead. */
function openPkcs1(key: KeyObject, sealed: Buffer): Buffer {
  const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, sealed);
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10) throw incorrect();
  return block.subarray(end + 1);
}

export interface Extra {
  readonly iv: Buffer | undefined;
  readonly aad: Buffer | undefined;
}

const digestBytes: Record<string, number> = { "256": 32, "384": 48, "512": 64 };
const curvesByAlgorithm: Record<string, readonly string[]> = {
  ES256: ["P-256"],
  ES384: ["P-384"],
  ES512: ["P-521"],
  ES256K: ["P-256K", "SECP256K1"],
  ECDSA256: ["P-256K", "SECP256K1"],
};

/** @throws ServiceError 400. */
export async function sign(kid: string, version: StoredKeyVersion, algorithm: string, digest: Buffer): Promise<Buffer> {
  const rsa = rsaSignature(kid, version, algorithm, digest);
  if (rsa !== undefined) return attempt(() => signRsa(privateKeyOf(version), rsa.scheme, rsa.hash, digest));
  const mac = macOf(version, algorithm, digest);
  if (mac !== undefined) return mac;
  const curve = signatureCurve(kid, version, algorithm, digest);
  return signDigest(curve, member(version, "d"), digest);
}

/** @throws ServiceError 400. */
export async function verify(
  kid: string,
  version: StoredKeyVersion,
  algorithm: string,
  digest: Buffer,
  signature: Buffer,
): Promise<boolean> {
  const rsa = rsaSignature(kid, version, algorithm, digest);
  if (rsa !== undefined) {
    return verifyRsa(createPublicKey(privateKeyOf(version)), rsa.scheme, rsa.hash, digest, signature);
  }
  const mac = macOf(version, algorithm, digest);
  if (mac !== undefined) return mac.length === signature.length && timingSafeEqual(mac, signature);
  const curve = signatureCurve(kid, version, algorithm, digest);
  return verifyDigest(curve, member(version, "x"), member(version, "y"), digest, signature);
}

/** HMAC of a symmetric key; nothing for other algorithms and other keys. */
function macOf(version: StoredKeyVersion, algorithm: string, message: Buffer): Buffer | undefined {
  const bits = /^HS(256|384|512)$/.exec(algorithm)?.[1];
  if (bits === undefined || !version.key.kty.startsWith("oct")) return undefined;
  return createHmac(`sha${bits}`, member(version, "k")).update(message).digest();
}

/** @throws ServiceError 400 for an algorithm that came after the api-version of the request. */
export function requireKnownAlgorithm(algorithm: string, apiVersion: ApiVersion): void {
  if (apiVersion < since.macs && /^(HS\d|CKM_)/.test(algorithm)) {
    throw badParameter(`The algorithm '${printable(algorithm)}' is not supported.`);
  }
}

function rsaSignature(
  kid: string,
  version: StoredKeyVersion,
  algorithm: string,
  digest: Buffer,
): { scheme: RsaScheme; hash: DigestName } | undefined {
  const found = /^([RP])S(256|384|512)$/.exec(algorithm);
  if (found === null) return undefined;
  requireType(kid, version, algorithm, "RSA");
  requireDigest(digest, digestBytes[found[2] ?? ""]);
  const hash = found[2] === "256" ? "sha256" : found[2] === "384" ? "sha384" : "sha512";
  return { scheme: found[1] === "R" ? "pkcs1" : "pss", hash };
}

function signatureCurve(kid: string, version: StoredKeyVersion, algorithm: string, digest: Buffer): NamedCurve {
  const wanted = curvesByAlgorithm[algorithm];
  if (wanted === undefined) throw badParameter(`The signature algorithm '${printable(algorithm)}' is not supported.`);
  requireType(kid, version, algorithm, "EC");
  const curve = curveByWireName(version.key.crv ?? "");
  if (curve === undefined || !wanted.includes(curve.wire)) {
    throw badParameter(
      `Key and signing algorithm are incompatible. Key ${kid} is of curve '${version.key.crv}', and algorithm '${algorithm}' can only be used with a key of curve '${wanted[0]}'.`,
    );
  }
  requireDigest(digest, algorithm === "ES384" ? 48 : algorithm === "ES512" ? 64 : 32);
  return curve;
}

function requireType(kid: string, version: StoredKeyVersion, algorithm: string, family: "RSA" | "EC"): void {
  if (version.key.kty.startsWith(family)) return;
  throw badParameter(
    `Key and signing algorithm are incompatible. Key ${kid} is of type '${version.key.kty}', and algorithm '${algorithm}' can only be used with a key of type '${family}' or '${family}-HSM'.`,
  );
}

function requireDigest(digest: Buffer, length: number | undefined): void {
  if (digest.length !== length) {
    throw badParameter(`Invalid length of 'value': ${digest.length} bytes. The algorithm requires ${length} bytes.`);
  }
}

function rsaPadding(kid: string, version: StoredKeyVersion, algorithm: string) {
  const padding = oaep[algorithm];
  if (padding === undefined) throw badParameter(`The algorithm '${printable(algorithm)}' is not supported.`);
  requireType(kid, version, algorithm, "RSA");
  return padding;
}

function octets(version: StoredKeyVersion, name: string): { algorithm: AesAlgorithm; key: Buffer } | undefined {
  if (!version.key.kty.startsWith("oct")) return undefined;
  const key = member(version, "k");
  const algorithm = aesAlgorithm(name, key.length * 8);
  if (algorithm === undefined) return undefined;
  if (key.length * 8 !== algorithm.bits) throw incorrect();
  return { algorithm, key };
}

function privateKeyOf(version: StoredKeyVersion): KeyObject {
  return createPrivateKey({ key: version.material, format: "jwk" });
}

function member(version: StoredKeyVersion, name: string): Buffer {
  const value = version.material[name];
  return Buffer.from(typeof value === "string" ? value : "", "base64url");
}

/** What OpenSSL says of a failure is not the service's to say. */
function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch {
    throw incorrect();
  }
}

const printable = (text: string) => text.replace(/[^\w.-]/g, "?").slice(0, 32);
