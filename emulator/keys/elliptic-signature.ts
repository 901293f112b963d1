import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import type { NamedCurve } from "./curve.js";

/**
 * ECDSA over a digest that is already there: OpenSSL by way of node:crypto hashes for itself.
 *
 * @returns `r || s`, each as wide as the field.
 */
export async function signDigest(curve: NamedCurve, secret: Buffer, digest: Buffer): Promise<Buffer> {
  return Buffer.from((await arithmeticOf(curve)).sign(digest, secret, { ...asTheService, extraEntropy: true }));
}

export async function verifyDigest(
  curve: NamedCurve,
  x: Buffer,
  y: Buffer,
  digest: Buffer,
  signature: Buffer,
): Promise<boolean> {
  if (signature.length !== curve.width * 2) return false;
  const point = Buffer.concat([Buffer.from([4]), x, y]);
  return (await arithmeticOf(curve)).verify(signature, digest, point, asTheService);
}

/** The service makes and takes both halves of `s`, also on secp256k1. */
const asTheService = { prehash: false, lowS: false } as const;

async function arithmeticOf({ openssl }: NamedCurve): Promise<ECDSA> {
  if (openssl === "secp256k1") return (await import("@noble/curves/secp256k1.js")).secp256k1;
  const { p256, p384, p521 } = await import("@noble/curves/nist.js");
  return openssl === "prime256v1" ? p256 : openssl === "secp384r1" ? p384 : p521;
}
