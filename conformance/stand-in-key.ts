import { generateKeyPairSync } from "node:crypto";
import type { JsonObject } from "./json.js";

const curves: Record<string, string> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
  "P-256K": "secp256k1",
  SECP256K1: "secp256k1",
};

const made = new Map<string, JsonObject>();

export interface KeyKind {
  kty: string;
  crv?: string | undefined;
  bits?: number | undefined;
  /** The modulus is written with a leading zero byte. */
  signByte?: boolean;
}

/** A private JWK of the wanted kind, as an import sends it. */
export function standInKey(kind: KeyKind): JsonObject {
  const jwk = madeKey(kind);
  if (kind.signByte !== true || typeof jwk.n !== "string") return jwk;
  return { ...jwk, n: Buffer.concat([Buffer.alloc(1), Buffer.from(jwk.n, "base64url")]).toString("base64url") };
}

/** The kind of key that a public bundle shows. */
export function kindOf(key: JsonObject): KeyKind {
  const n = typeof key.n === "string" ? key.n : undefined;
  return {
    kty: typeof key.kty === "string" ? key.kty : "EC",
    crv: typeof key.crv === "string" ? key.crv : undefined,
    bits: n === undefined ? undefined : modulusBits(n),
    signByte: n !== undefined && Buffer.from(n, "base64url")[0] === 0,
  };
}

/** RSA keys are made once a process: they are slow. */
function madeKey(kind: KeyKind): JsonObject {
  if (/^oct/i.test(kind.kty)) return { kty: "oct", k: Buffer.alloc((kind.bits ?? 256) / 8, 7).toString("base64url") };
  if (/^EC/.test(kind.kty)) {
    const crv = kind.crv ?? "P-256";
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: curves[crv] ?? "prime256v1" });
    return { ...privateKey.export({ format: "jwk" }), kty: "EC", crv };
  }
  const bits = kind.bits ?? 2048;
  const known = made.get(`RSA ${bits}`);
  if (known !== undefined) return { ...known };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const jwk: JsonObject = { ...privateKey.export({ format: "jwk" }), kty: "RSA" };
  made.set(`RSA ${bits}`, jwk);
  return { ...jwk };
}

/** Bits of an RSA modulus; a sign byte of zero does not count. */
export function modulusBits(n: string): number {
  const bytes = Buffer.from(n, "base64url");
  return (bytes[0] === 0 ? bytes.length - 1 : bytes.length) * 8;
}

/** The private members of an import were destroyed by the recorder: what is left cannot be imported. */
export function isDestroyedKey(jwk: JsonObject): boolean {
  const kty = String(jwk.kty ?? "");
  if (jwk.key_hsm !== undefined) return false;
  const needed = /^RSA/.test(kty) ? ["d", "p", "q", "dp", "dq", "qi"] : /^EC/.test(kty) ? ["d"] : ["k"];
  return needed.some((member) => !/^[0-9A-Za-z_-]{20,}$/.test(String(jwk[member] ?? "")));
}
