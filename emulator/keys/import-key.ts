import { createECDH, createPrivateKey } from "node:crypto";
import { badParameter, invalidProperties } from "../service-error.js";
import type { Vault } from "../vault.js";
import { curveByWireName, type NamedCurve } from "./curve.js";
import type { KeyPair } from "./generate-key.js";
import { requireKeyType, unsupportedSize } from "./key-rules.js";

type Jwk = Record<string, unknown>;

const base64url = /^[A-Za-z0-9_-]+={0,2}$/;
const octetSizes = [128, 192, 256];

/**
 * The key pair that a JSON Web Key holds, when its parts belong together. Public members are kept as they were sent
 * (stripped zeros, sign bytes and the name SECP256K1 included); the private ones are kept in a form that can be used.
 *
 * @throws ServiceError 400. Nothing of the key is in the message.
 */
export function readImportedKey(vault: Vault, jwk: Jwk): KeyPair {
  const keyType = jwk.kty;
  if (typeof keyType !== "string") throw notAKey(vault);
  requireKeyType(vault, keyType);
  if (keyType.startsWith("RSA")) return readRsa(jwk, keyType);
  if (keyType.startsWith("EC")) return readEc(jwk, keyType);
  return readOctets(jwk, keyType);
}

export function notAKey(vault: Vault) {
  return badParameter(
    vault.plane === "managedhsm"
      ? "JSON Web Key: kty is missing"
      : 'The property "key" must be a valid JsonWebKey object.',
  );
}

const invalidRsa = () => badParameter("RSA key is not valid - cannot instantiate crypto service");
const invalidEc = () => badParameter("EC key is not valid - cannot instantiate crypto service");

function readRsa(jwk: Jwk, keyType: string): KeyPair {
  const [n, e, d, p, q, dp, dq, qi] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map((name) => bytesOf(jwk[name]));
  if (!n || !e || !d || !p || !q || !dp || !dq || !qi) throw invalidRsa();
  const bits = toInteger(n).toString(2).length;
  if (bits < 1024 || bits > 4096) throw unsupportedSize(bits, [2048, 3072, 4096]);
  if (!isConsistent([n, e, d, p, q, dp, dq, qi].map(toInteger))) throw invalidRsa();
  const encoded = { n, e, d, p, q, dp, dq, qi };
  const material: Jwk = { kty: "RSA" };
  for (const [name, bytes] of Object.entries(encoded)) material[name] = trimmed(bytes).toString("base64url");
  try {
    createPrivateKey({ key: material, format: "jwk" });
  } catch {
    throw invalidRsa();
  }
  return { public: { kty: keyType, n: String(jwk.n), e: String(jwk.e) }, material };
}

function isConsistent(numbers: readonly bigint[]): boolean {
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qi = 0n] = numbers;
  if (p < 2n || q < 2n || e < 3n || e % 2n === 0n || p === q || p * q !== n || d >= n || d < 1n) return false;
  return (
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    (qi * q) % p === 1n
  );
}

function readEc(jwk: Jwk, keyType: string): KeyPair {
  const name = jwk.crv;
  const curve = typeof name === "string" ? curveByWireName(name) : undefined;
  if (curve === undefined || typeof name !== "string") throw invalidProperties();
  const [x, y, d] = ["x", "y", "d"].map((member) => fixedWidth(bytesOf(jwk[member]), curve));
  if (!x || !y || !d || !belongsTogether(curve, x, y, d)) throw invalidEc();
  const [wide, high, secret] = [x, y, d].map((bytes) => bytes.toString("base64url"));
  return {
    public: { kty: keyType, crv: name, x: String(jwk.x), y: String(jwk.y) },
    material: { kty: "EC", crv: curve.jose, x: wide, y: high, d: secret },
  };
}

function belongsTogether(curve: NamedCurve, x: Buffer, y: Buffer, d: Buffer): boolean {
  try {
    const pair = createECDH(curve.openssl);
    pair.setPrivateKey(d);
    return pair.getPublicKey().equals(Buffer.concat([Buffer.from([4]), x, y]));
  } catch {
    return false;
  }
}

function readOctets(jwk: Jwk, keyType: string): KeyPair {
  const k = bytesOf(jwk.k);
  if (k === undefined) throw invalidProperties();
  if (!octetSizes.includes(k.length * 8)) throw unsupportedSize(k.length * 8, octetSizes);
  return { public: { kty: keyType }, material: { kty: "oct", k: k.toString("base64url") } };
}

function bytesOf(member: unknown): Buffer | undefined {
  if (typeof member !== "string" || member.length > 1400 || !base64url.test(member)) return undefined;
  return Buffer.from(member, "base64url");
}

/** Numbers come without leading zeros or with a sign byte; OpenSSL wants a coordinate at the width of its field. */
function fixedWidth(bytes: Buffer | undefined, curve: NamedCurve): Buffer | undefined {
  if (bytes === undefined) return undefined;
  const number = trimmed(bytes);
  if (number.length > curve.width) return undefined;
  return Buffer.concat([Buffer.alloc(curve.width - number.length), number]);
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  return bytes.subarray(start);
}

function toInteger(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
}
