import { generateKeyPairSync, type KeyObject } from "node:crypto";

/** Keys made once per test run: RSA ones are slow to make. */
const made = new Map<string, KeyObject>();

export function rsaKey(bits = 2048): KeyObject {
  return once(`rsa-${bits}`, () => generateKeyPairSync("rsa", { modulusLength: bits }).privateKey);
}

export function ecKey(curve = "P-256"): KeyObject {
  return once(`ec-${curve}`, () => generateKeyPairSync("ec", { namedCurve: curve }).privateKey);
}

export type Jwk = Record<string, string>;

export function jwkOf(key: KeyObject): Jwk {
  return Object.fromEntries(
    Object.entries(key.export({ format: "jwk" })).map(([name, value]) => [name, String(value)]),
  );
}

/** What the private members look like in every encoding that a message might use. */
export function canaries(jwk: Jwk): string[] {
  return ["d", "p", "q", "dp", "dq", "qi", "k"].flatMap((member) => {
    const value = jwk[member];
    if (value === undefined) return [];
    const bytes = Buffer.from(value, "base64url");
    const number = BigInt(`0x${bytes.toString("hex") || "0"}`);
    return [value, bytes.toString("base64"), bytes.toString("hex"), number.toString()].map((text) => text.slice(0, 20));
  });
}

export function base64Lines(der: Uint8Array): string {
  return Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
}

export function pemOf(key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" = "pkcs8"): string {
  return key.export({ type, format: "pem" }).toString();
}

export const secpNames = ["P-256", "P-384", "P-521", "secp256k1"] as const;

function once(name: string, make: () => KeyObject): KeyObject {
  const key = made.get(name) ?? make();
  made.set(name, key);
  return key;
}
