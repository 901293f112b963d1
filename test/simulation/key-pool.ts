import { createECDH, createHash } from "node:crypto";
import type { KeyPair } from "../../emulator/keys/generate-key.js";

/** Every private scalar and every secret value begins with it, so that one search finds any of them. */
export const CANARY = "private-material";
/** The same at the beginning of a base64url text. */
export const ENCODED_CANARY = Buffer.from(CANARY).toString("base64url").slice(0, 20);

/** Key material is made once: the simulation makes thousands of keys a second. */
const POOL = 192;
const pairs: EcJwk[] = [];

export interface EcJwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
  d: string;
}

/** The nth key of the pool: the same one in every process. */
export function pooledKey(index: number): EcJwk {
  const place = index % POOL;
  pairs[place] ??= makeKey(place);
  return pairs[place];
}

/** As the vault generates it. */
export function pooledPair(index: number): KeyPair {
  const { d, ...jwk } = pooledKey(index);
  return { public: jwk, material: { ...jwk, d } };
}

function makeKey(index: number): EcJwk {
  const rest = createHash("sha256").update(`key ${index}`).digest().subarray(0, 16);
  const scalar = Buffer.concat([Buffer.from(CANARY), rest]);
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  return {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
    d: scalar.toString("base64url"),
  };
}
