import { createHash, scryptSync } from "node:crypto";
import type { PublicJwk } from "../keyvault/key-bundle.js";
import { type NormalisedJwk, publicKeyJwk } from "./public-key.js";

/**
 * The RFC 7638 SHA-256 thumbprint of a public key that a vault returned, as other JOSE tools print it.
 *
 * Over normalised members, so that a stripped or added zero byte, `RSA-HSM` or `SECP256K1` does not change it.
 * Undefined where there is no public half (`oct`), and for types this version does not know.
 */
export function publicThumbprint(jwk: PublicJwk): string | undefined {
  const key = publicKeyJwk(jwk);
  return key === undefined ? undefined : thumbprintOf(key);
}

export function thumbprintOf(key: NormalisedJwk): string {
  // RFC 7638 section 3.2: the required members alone, in this order, without white space.
  const canonical =
    key.kty === "RSA"
      ? JSON.stringify({ e: key.e, kty: key.kty, n: key.n })
      : JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y });
  return createHash("sha256").update(canonical).digest("base64url");
}

/**
 * Stands for a `.byok` transfer blob, whose public key nobody outside the HSM can see: `byok:sha256:` and a digest of
 * the ciphertext. The same key exported once more has another ciphertext and so another thumbprint.
 */
export function transferBlobThumbprint(ciphertext: Uint8Array): string {
  return `byok:sha256:${createHash("sha256").update(ciphertext).digest("base64url")}`;
}

/**
 * Stands for a symmetric key, which has no public half: `oct:scrypt:` and a digest.
 *
 * RFC 7638 would hash the secret itself with plain SHA-256, a gift to whoever guesses weak keys from a state file.
 * The salt is fixed because two runs have to agree without keeping one; scrypt (32 MiB) makes each guess dear.
 */
export function symmetricThumbprint(key: Uint8Array): string {
  const digest = scryptSync(key, "pulumi-keyvault oct thumbprint v1", 32, { N: 32768, r: 8, p: 1, maxmem: 64 << 20 });
  return `oct:scrypt:${digest.toString("base64url")}`;
}
