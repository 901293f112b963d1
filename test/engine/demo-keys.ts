import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A fresh RSA key, with every private number that must never show anywhere. */
export function rsaKey(bits = 2048): PrivateKey {
  return privateKey(generateKeyPairSync("rsa", { modulusLength: bits }).privateKey);
}

/** A fresh EC key on a curve by its OpenSSL name. */
export function ecKey(namedCurve = "prime256v1"): PrivateKey {
  return privateKey(generateKeyPairSync("ec", { namedCurve }).privateKey);
}

export interface PrivateKey {
  key: KeyObject;
  jwk: Record<string, string>;
  pkcs8: string;
  /** Base64url and base64 forms of each private number, and pieces of the PEM. */
  canaries: string[];
}

function privateKey(key: KeyObject): PrivateKey {
  const jwk = key.export({ format: "jwk" }) as Record<string, string>;
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const numbers = ["d", "p", "q", "dp", "dq", "qi"].flatMap((member) => jwk[member] ?? []);
  const encodings = numbers.flatMap((number) => {
    const bytes = Buffer.from(number, "base64url");
    return [number.slice(0, 40), bytes.toString("base64").slice(0, 40), bytes.toString("hex").slice(0, 60)];
  });
  // The middle of a PEM is private; its first and last lines hold the algorithm, the end of the numbers, and of an
  // elliptic key the public point.
  const publicBytes = createPublicKey(key).export({ type: "spki", format: "der" });
  const pemLines = pkcs8
    .split("\n")
    .slice(-6, -3)
    .filter((line) => !publicBytes.includes(Buffer.from(line, "base64")));
  return { key, jwk, pkcs8, canaries: [...encodings, ...pemLines].filter((text) => text.length >= 20) };
}
