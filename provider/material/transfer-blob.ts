import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import type { PublicJwk } from "../keyvault/key-bundle.js";
import { findCurve } from "./curves.js";
import type { KeyMaterial } from "./key-material.js";
import { publicKeyJwk } from "./public-key.js";

/** The public half of a key exchange key, and how the vault that owns it calls it. */
export interface ExchangeKey {
  /** The versioned identifier, as the service writes it. */
  id: string;
  publicKey: PublicJwk;
}

/** What a key is sent as once it is wrapped. */
export interface WrappedKey {
  /** The content of a `.byok` file. */
  blob: string;
  /** For Import Key. */
  importable: { kty: string; crv?: string; key_hsm: string };
}

/** RFC 5649's initial value, to which the length of the plaintext is put by OpenSSL. */
const INITIAL_VALUE = Buffer.from("a65959a6", "hex");

/**
 * AES key wrap with padding (RFC 5649).
 *
 * @param key 16, 24 or 32 bytes
 */
export function wrapWithPadding(key: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv(`id-aes${key.length * 8}-wrap-pad`, key, INITIAL_VALUE);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/**
 * Wraps a private key for the vault that owns an exchange key, as Microsoft's BYOK specification says
 * (CKM_RSA_AES_KEY_WRAP): an AES key of its own under RSA-OAEP with SHA-1, and under that the key: PKCS#8, or the bytes of a
 * symmetric key. Only the vault can open it. Another blob each time.
 *
 * @see https://learn.microsoft.com/azure/key-vault/keys/byok-specification
 */
export function wrapForTransfer(material: KeyMaterial, exchangeKey: ExchangeKey): WrappedKey {
  const plaintext = plaintextOf(material);
  const wrappingKey = randomBytes(32);
  try {
    const ciphertext = Buffer.concat([
      publicEncrypt(
        {
          key: createPublicKey({ key: publicKeyJwk(exchangeKey.publicKey) ?? {}, format: "jwk" }),
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          // By the specification; RSA-OAEP does not rest on what SHA-1 has lost.
          oaepHash: "sha1",
        },
        wrappingKey,
      ),
      wrapWithPadding(wrappingKey, plaintext),
    ]);
    const blob = JSON.stringify({
      schema_version: "1.0.0",
      header: { kid: exchangeKey.id, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
      ciphertext: ciphertext.toString("base64url"),
      generator: "pulumi-keyvault",
    });
    return {
      blob,
      importable: {
        kty: `${material.keyType}-HSM`,
        ...(material.curve === undefined ? {} : { crv: material.curve }),
        key_hsm: Buffer.from(blob).toString("base64url"),
      },
    };
  } finally {
    plaintext.fill(0);
    wrappingKey.fill(0);
  }
}

function plaintextOf({ keyType, curve, importable }: KeyMaterial): Buffer {
  if (keyType === "oct") return Buffer.from(String(importable.k), "base64url");
  const jwk: JsonWebKey = { ...importable, ...(curve === undefined ? {} : { crv: findCurve(curve)?.jose ?? curve }) };
  return createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "der", type: "pkcs8" });
}
