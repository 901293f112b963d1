import { tryParseObjectIdentifier } from "./identifier.js";
import type { CallOptions, VaultConnection } from "./vault-connection.js";
import { decodeWire, present } from "./wire/json.js";
import { type KeyUseResult, keyUseAnswer, verifyAnswer } from "./wire/key-use.js";

export type { KeyUseResult } from "./wire/key-use.js";

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

type KeyUse = "encrypt" | "decrypt" | "wrapKey" | "unwrapKey" | "sign";

export type KeyUseOperations = ReturnType<typeof keyUseOperations>;

/** The operations that use a key without taking it out of the vault. The version may be undefined: the current one. */
export function keyUseOperations(connection: VaultConnection) {
  const use = (
    operation: KeyUse,
    name: string,
    version: string | undefined,
    p: CipherParameters,
    o?: CallOptions,
  ): Promise<KeyUseResult> =>
    connection.call(
      {
        operation,
        method: "POST",
        path: ["keys", name, version, operation.toLowerCase()],
        objectName: name,
        version,
        body: () => ({ alg: p.algorithm, value: p.value, ...present({ iv: p.iv, aad: p.aad, tag: p.tag }) }),
        secrets: [p.value],
        decode: (answer) => decodeWire(keyUseAnswer, answer),
        difference: (answered) => differenceOf(answered, name, version),
      },
      o,
    );

  return {
    /**
     * Encrypts one block or, with AES, a text. Needs keys/encrypt.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/encrypt/encrypt
     */
    encrypt(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return use("encrypt", name, version, p, o);
    },

    /**
     * Decrypts one block or, with AES, a text. Needs keys/decrypt. Throws `KV_FORBIDDEN` where keyOps do not include it.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/decrypt/decrypt
     */
    decrypt(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return use("decrypt", name, version, p, o);
    },

    /**
     * Signs a digest, base64url. Needs keys/sign.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
     */
    sign(name: string, version: string | undefined, p: { algorithm: string; digest: string }, o?: CallOptions) {
      return use("sign", name, version, { algorithm: p.algorithm, value: p.digest }, o);
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
      return connection.call(
        {
          operation: "verify",
          method: "POST",
          path: ["keys", name, version, "verify"],
          objectName: name,
          version,
          body: () => ({ alg: p.algorithm, digest: p.digest, value: p.signature }),
          decode: (answer) => decodeWire(verifyAnswer, answer),
        },
        o,
      );
    },

    /**
     * Wraps a symmetric key. Needs keys/wrapKey.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key
     */
    wrapKey(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return use("wrapKey", name, version, p, o);
    },

    /**
     * Unwraps a symmetric key. Needs keys/unwrapKey.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/unwrap-key/unwrap-key
     */
    unwrapKey(name: string, version: string | undefined, p: CipherParameters, o?: CallOptions) {
      return use("unwrapKey", name, version, p, o);
    },
  };
}

/** The key that an answer says was used, where it is another one. */
function differenceOf({ keyId = "" }: KeyUseResult, name: string, version: string | undefined): string | undefined {
  const used = tryParseObjectIdentifier(keyId);
  if (used === undefined) return undefined;
  if (used.name.toLowerCase() !== name.toLowerCase()) return `it names "${used.name}"`;
  if (version === undefined || used.version === undefined) return undefined;
  return used.version.toLowerCase() === version.toLowerCase() ? undefined : `it names version ${used.version}`;
}
