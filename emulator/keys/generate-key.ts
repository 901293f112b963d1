import { generateKeyPair, generateKeyPairSync, type JsonWebKey, randomBytes } from "node:crypto";
import type { StoredPublicKey } from "../store/stored-object.js";
import { curveByWireName, type NamedCurve } from "./curve.js";

/** What to make: sizes and curves have passed the service's rules. */
export interface KeySpecification {
  readonly keyType: string;
  readonly size: number;
  readonly curve: string | undefined;
}

export interface KeyPair {
  readonly public: Omit<StoredPublicKey, "key_ops">;
  readonly material: Record<string, unknown>;
}

/** Makes a key off the main thread. The exponent is 65537 whatever was asked for. */
export function generateKey(specification: KeySpecification): Promise<KeyPair> {
  const curve = curveByWireName(specification.curve ?? "");
  return new Promise((resolve, reject) => {
    if (specification.keyType.startsWith("oct")) {
      resolve(symmetric(specification));
    } else if (curve !== undefined) {
      generateKeyPair("ec", { namedCurve: curve.openssl }, (error, _, key) =>
        error === null ? resolve(pairOf(specification, key.export({ format: "jwk" }), curve)) : reject(error),
      );
    } else {
      generateKeyPair("rsa", { modulusLength: specification.size }, (error, _, key) =>
        error === null ? resolve(pairOf(specification, key.export({ format: "jwk" }), undefined)) : reject(error),
      );
    }
  });
}

/** The same inside a transaction, where nothing may wait: for rotations that the clock makes. */
export function generateKeyNow(specification: KeySpecification): KeyPair {
  if (specification.keyType.startsWith("oct")) return symmetric(specification);
  const curve = curveByWireName(specification.curve ?? "");
  const { privateKey } =
    curve === undefined
      ? generateKeyPairSync("rsa", { modulusLength: specification.size })
      : generateKeyPairSync("ec", { namedCurve: curve.openssl });
  return pairOf(specification, privateKey.export({ format: "jwk" }), curve);
}

function symmetric({ keyType, size }: KeySpecification): KeyPair {
  return { public: { kty: keyType }, material: { kty: "oct", k: randomBytes(size / 8).toString("base64url") } };
}

function pairOf({ keyType, curve }: KeySpecification, jwk: JsonWebKey, known: NamedCurve | undefined): KeyPair {
  if (known === undefined) {
    return { public: { kty: keyType, n: jwk.n ?? "", e: jwk.e ?? "" }, material: { ...jwk } };
  }
  return {
    public: { kty: keyType, crv: curve ?? known.wire, x: jwk.x ?? "", y: jwk.y ?? "" },
    material: { ...jwk },
  };
}
