import type { CallOptions, VaultConnection } from "../provider/keyvault/vault-connection.js";
import { decodeWire, present } from "../provider/keyvault/wire/json.js";
import { type CryptographyResult, cryptographyResult, releaseAnswer, verifyAnswer } from "./cryptography-answer.js";

export interface CipherParameters {
  /** For example `RSA-OAEP-256`, `A256CBCPAD`. */
  algorithm: string;
  /** Base64url. */
  value: string;
  /** AES only, base64url. */
  iv?: string;
  aad?: string;
  tag?: string;
}

export interface ReleaseParameters {
  /** The attestation of the target, as a JWT. */
  target: string;
  nonce?: string;
  /** How the released key is wrapped, for example `RSA_AES_KEY_WRAP_256`. */
  algorithm?: string;
}

type CipherOperation = "encrypt" | "decrypt" | "wrapKey" | "unwrapKey";

/** The operations that use a key without taking it out of the vault. The product needs none of them. The version may be undefined: the current one. */
export function cryptographyOperations(connection: VaultConnection) {
  const cipher = (
    operation: CipherOperation,
    name: string,
    version: string | undefined,
    p: CipherParameters,
    o?: CallOptions,
  ): Promise<CryptographyResult> => {
    const body = () => ({ alg: p.algorithm, value: p.value, ...present({ iv: p.iv, aad: p.aad, tag: p.tag }) });
    const decode = (answer: unknown): CryptographyResult => decodeWire(cryptographyResult, answer);
    const path = ["keys", name, version, operation.toLowerCase()] as const;
    return connection.call(
      { operation, method: "POST", path, objectName: name, version, body, secrets: [p.value], decode },
      o,
    );
  };

  return {
    /**
     * Encrypts one block or, with AES, a text. Needs keys/encrypt.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/encrypt/encrypt
     */
    encrypt(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return cipher("encrypt", name, version, p, o);
    },

    /**
     * Decrypts one block or, with AES, a text. Needs keys/decrypt. Throws `KV_FORBIDDEN` where keyOps do not include it.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/decrypt/decrypt
     */
    decrypt(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return cipher("decrypt", name, version, p, o);
    },

    /**
     * Signs a digest, base64url. Needs keys/sign.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
     */
    sign(name: string, version: string | undefined, p: { algorithm: string; digest: string }, o?: CallOptions) {
      const body = () => ({ alg: p.algorithm, value: p.digest });
      const decode = (answer: unknown): CryptographyResult => decodeWire(cryptographyResult, answer);
      return connection.call(
        {
          operation: "sign",
          method: "POST",
          path: ["keys", name, version, "sign"],
          objectName: name,
          version,
          body,
          decode,
        },
        o,
      );
    },

    /**
     * Verifies a signature of a digest, both base64url. Needs keys/verify.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/verify/verify
     */
    verify(
      name: string,
      version: string | undefined,
      p: { algorithm: string; digest: string; signature: string },
      o?: CallOptions,
    ): Promise<boolean> {
      const body = () => ({ alg: p.algorithm, digest: p.digest, value: p.signature });
      const decode = (answer: unknown): boolean => decodeWire(verifyAnswer, answer);
      return connection.call(
        {
          operation: "verify",
          method: "POST",
          path: ["keys", name, version, "verify"],
          objectName: name,
          version,
          body,
          decode,
        },
        o,
      );
    },

    /**
     * Wraps a symmetric key. Needs keys/wrapKey.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key
     */
    wrapKey(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return cipher("wrapKey", name, version, p, o);
    },

    /**
     * Unwraps a symmetric key. Needs keys/unwrapKey.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/unwrap-key/unwrap-key
     */
    unwrapKey(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return cipher("unwrapKey", name, version, p, o);
    },

    /**
     * Releases an exportable key to an attested target, as a JWS that holds the wrapped key. Needs keys/release.
     *
     * Throws `KV_FORBIDDEN` where the release policy does not accept the attestation.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/release/release
     */
    releaseKey(name: string, version: string | undefined, p: ReleaseParameters, o?: CallOptions): Promise<string> {
      const body = () => ({ target: p.target, ...present({ nonce: p.nonce, enc: p.algorithm }) });
      const decode = (answer: unknown): string => decodeWire(releaseAnswer, answer);
      const path = ["keys", name, version, "release"] as const;
      const call = { operation: "releaseKey", method: "POST", objectName: name, secrets: [p.target] } as const;
      return connection.call({ ...call, path, version, body, decode }, o);
    },
  };
}
