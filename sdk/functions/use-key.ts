import * as pulumi from "@pulumi/pulumi";
import type { Bytes, Data, Encoding } from "../../provider/functions/binary-data.js";
import type { CipherAlgorithm, SignatureAlgorithm, WrapAlgorithm } from "../../provider/functions/key-algorithms.js";
import type { GetKeyResult } from "../../provider/functions/object-facts.js";
import type { UsedKey } from "../../provider/functions/use-key.js";
import type { Key } from "../key.js";
import { kindOf } from "../resource-kind.js";
import {
  callFunction,
  type FunctionOptions,
  type FunctionOutputOptions,
  functionOutput,
  namedObject,
  type ObjectName,
} from "./function-call.js";

export type { Bytes, Data, Encoding } from "../../provider/functions/binary-data.js";
export type { CipherAlgorithm, SignatureAlgorithm, WrapAlgorithm } from "../../provider/functions/key-algorithms.js";

/** What `getKey` read, as far as it matters here. */
export type KnownKey = Pick<GetKeyResult, "id" | "version" | "keyType" | "curve" | "keySize" | "keyOps">;

/** The key to use: what `getKey` read, against which all is checked before the vault is asked; or its name or id. */
export type KeyToUse =
  | { key: KnownKey; id?: undefined; name?: undefined; vaultUrl?: undefined; version?: undefined }
  | (ObjectName & {
      key?: undefined;
      /** 32 hex digits. Default: that of the id, else the current one. */
      version?: string;
    });

type Given<T> = { [K in keyof T]: pulumi.Input<T[K]> };

/** As {@link KeyToUse}, of values that are known later, and a Key resource too. */
export type KeyToUseOutput =
  | { key: Key | pulumi.Input<KnownKey>; id?: undefined; name?: undefined; vaultUrl?: undefined; version?: undefined }
  | {
      id: pulumi.Input<string>;
      version?: pulumi.Input<string>;
      key?: undefined;
      name?: undefined;
      vaultUrl?: undefined;
    }
  | {
      name: pulumi.Input<string>;
      vaultUrl?: pulumi.Input<string>;
      version?: pulumi.Input<string>;
      key?: undefined;
      id?: undefined;
    };

/** Bytes as they are, or their base64url. A Buffer inside of an Output is taken apart by Pulumi: give base64url there. */
export type BytesInput = Uint8Array | pulumi.Input<{ base64url: string }> | { base64url: pulumi.Input<string> };
/** Text, which is taken as UTF-8, or bytes. */
export type DataInput = pulumi.Input<string> | BytesInput;

interface EncryptSettings {
  /** One that the key type takes; what does not fit a known key is refused before a request. */
  algorithm: CipherAlgorithm;
}
export type EncryptArgs = KeyToUse &
  EncryptSettings & {
    plaintext: Data;
    /** Of AES-CBC, 16 bytes. Default: random. */
    iv?: Bytes;
    /** Of AES-GCM: authenticated with the ciphertext, and not in it. */
    additionalData?: Data;
  };
export type EncryptOutputArgs = KeyToUseOutput &
  Given<EncryptSettings> & { plaintext: DataInput; iv?: BytesInput; additionalData?: DataInput };

export interface EncryptResult {
  /** The versioned URL of the key that decrypts it. */
  versionId: string;
  /** Base64url. */
  ciphertext: string;
  /** Of AES, base64url: decrypt needs it. */
  iv?: string | undefined;
  /** Of AES-GCM, base64url: decrypt needs it. */
  tag?: string | undefined;
}

interface DecryptSettings {
  /** One that the key type takes; what does not fit a known key is refused before a request. */
  algorithm: CipherAlgorithm;
  /** Base64url, as encrypt gave it. */
  ciphertext: string;
  /** Of AES, base64url. */
  iv?: string;
  /** Of AES-GCM, base64url. */
  tag?: string;
  /** How the plaintext is written. Default `utf8`, which refuses bytes that are no UTF-8. */
  encoding?: Encoding;
}
export type DecryptArgs = KeyToUse & DecryptSettings & { additionalData?: Data };
export type DecryptOutputArgs = KeyToUseOutput & Given<DecryptSettings> & { additionalData?: DataInput };

export interface DecryptResult {
  /** The version that was used: keep it with what it made. */
  versionId: string;
  /** A secret Output. */
  plaintext: pulumi.Output<string>;
}

interface SignSettings {
  /** One that the key type and curve take, such as `ES256` of P-256. */
  algorithm: SignatureAlgorithm;
}
/** Data, whose digest is made in the program; or the digest of something larger. */
type ToSign = { data: Data; digest?: undefined } | { digest: Bytes; data?: undefined };
type ToSignInput = { data: DataInput; digest?: undefined } | { digest: BytesInput; data?: undefined };
export type SignArgs = KeyToUse & SignSettings & ToSign;
export type SignOutputArgs = KeyToUseOutput & Given<SignSettings> & ToSignInput;

export interface SignResult {
  /** The version that was used: keep it with what it made. */
  versionId: string;
  /** Base64url. Of elliptic curves r and s one after the other, as JOSE has it, and not DER. */
  signature: string;
}

export type VerifyArgs = SignArgs & {
  /** Base64url, as sign gave it. */
  signature: string;
};
export type VerifyOutputArgs = SignOutputArgs & { signature: pulumi.Input<string> };

export interface VerifyResult {
  /** Whether the signature is that of the data by this key. */
  valid: boolean;
}

interface WrapSettings {
  /** One that the key type takes. */
  algorithm: WrapAlgorithm;
}
export type WrapKeyArgs = KeyToUse & WrapSettings & { keyToWrap: Bytes };
export type WrapKeyOutputArgs = KeyToUseOutput & Given<WrapSettings> & { keyToWrap: BytesInput };

export interface WrapKeyResult {
  /** The version that was used: keep it with what it made. */
  versionId: string;
  /** Base64url. */
  wrappedKey: string;
}

interface UnwrapSettings {
  /** One that the key type takes. */
  algorithm: WrapAlgorithm;
  /** Base64url, as wrapKey gave it. */
  wrappedKey: string;
}
export type UnwrapKeyArgs = KeyToUse & UnwrapSettings;
export type UnwrapKeyOutputArgs = KeyToUseOutput & Given<UnwrapSettings>;

export interface UnwrapKeyResult {
  /** The version that was used: keep it with what it made. */
  versionId: string;
  /** Base64url, as a secret Output. */
  unwrappedKey: pulumi.Output<string>;
}

/**
 * Encrypts with a key of the vault: one request, in a preview too. Needs keys/encrypt.
 *
 * Another ciphertext each time: keep it where it does not count as a change (`ignoreChanges`). RSA takes one short
 * block: 190 bytes with 2048 bits and `RSA-OAEP-256`.
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/encrypt/encrypt
 */
export function encrypt(args: EncryptArgs, options?: FunctionOptions): Promise<EncryptResult> {
  return useKey("encrypt", args, options, async (key) => (await functions()).encrypt(key, args));
}

/** As {@link encrypt}, of arguments that are known later. Secret where the plaintext is. */
export function encryptOutput(args: EncryptOutputArgs, options?: FunctionOutputOptions): pulumi.Output<EncryptResult> {
  return useKeyOutput<EncryptArgs, EncryptResult>(args, options, encrypt);
}

/**
 * Decrypts with a key of the vault: one request, in a preview too. The plaintext is a secret Output. Needs
 * keys/decrypt.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/decrypt/decrypt
 */
export async function decrypt(args: DecryptArgs, options?: FunctionOptions): Promise<DecryptResult> {
  const { plaintext, ...result } = await decrypted(args, options);
  return { ...result, plaintext: pulumi.secret(plaintext) };
}

/** As {@link decrypt}, of arguments that are known later. The whole result is secret. */
export function decryptOutput(
  args: DecryptOutputArgs,
  options?: FunctionOutputOptions,
): pulumi.Output<{ versionId: string; plaintext: string }> {
  return pulumi.secret(useKeyOutput(args, options, decrypted));
}

function decrypted(args: DecryptArgs, options?: FunctionOptions): Promise<{ versionId: string; plaintext: string }> {
  return useKey("decrypt", args, options, async (key) => (await functions()).decrypt(key, args));
}

/**
 * Signs data with a key of the vault: one request, in a preview too. Its digest is made here, so the data never leaves
 * the program. Needs keys/sign.
 *
 * `RS…` gives the same signature each time; `PS…` and `ES…` another one.
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
 */
export function sign(args: SignArgs, options?: FunctionOptions): Promise<SignResult> {
  return useKey("sign", args, options, async (key) => (await functions()).sign(key, args));
}

/** As {@link sign}, of arguments that are known later. */
export function signOutput(args: SignOutputArgs, options?: FunctionOutputOptions): pulumi.Output<SignResult> {
  return useKeyOutput<SignArgs, SignResult>(args, options, sign);
}

/**
 * Says whether a signature is that of the data and the key: one request, in a preview too. Needs keys/verify.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/verify/verify
 */
export function verify(args: VerifyArgs, options?: FunctionOptions): Promise<VerifyResult> {
  return useKey("verify", args, options, async (key) => (await functions()).verify(key, args));
}

/** As {@link verify}, of arguments that are known later. */
export function verifyOutput(args: VerifyOutputArgs, options?: FunctionOutputOptions): pulumi.Output<VerifyResult> {
  return useKeyOutput<VerifyArgs, VerifyResult>(args, options, verify);
}

/**
 * Wraps a symmetric key with a key of the vault: one request, in a preview too. Another result each time, but with
 * `A…KW`. Needs keys/wrapKey.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key
 */
export function wrapKey(args: WrapKeyArgs, options?: FunctionOptions): Promise<WrapKeyResult> {
  return useKey("wrapKey", args, options, async (key) => (await functions()).wrapKey(key, args));
}

/** As {@link wrapKey}, of arguments that are known later. */
export function wrapKeyOutput(args: WrapKeyOutputArgs, options?: FunctionOutputOptions): pulumi.Output<WrapKeyResult> {
  return useKeyOutput<WrapKeyArgs, WrapKeyResult>(args, options, wrapKey);
}

/**
 * Unwraps a symmetric key with a key of the vault: one request, in a preview too. It is a secret Output. Needs
 * keys/unwrapKey.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/unwrap-key/unwrap-key
 */
export async function unwrapKey(args: UnwrapKeyArgs, options?: FunctionOptions): Promise<UnwrapKeyResult> {
  const { unwrappedKey, ...result } = await unwrapped(args, options);
  return { ...result, unwrappedKey: pulumi.secret(unwrappedKey) };
}

/** As {@link unwrapKey}, of arguments that are known later. The whole result is secret. */
export function unwrapKeyOutput(
  args: UnwrapKeyOutputArgs,
  options?: FunctionOutputOptions,
): pulumi.Output<{ versionId: string; unwrappedKey: string }> {
  return pulumi.secret(useKeyOutput(args, options, unwrapped));
}

function unwrapped(
  args: UnwrapKeyArgs,
  options?: FunctionOptions,
): Promise<{ versionId: string; unwrappedKey: string }> {
  return useKey("unwrapKey", args, options, async (key) => (await functions()).unwrapKey(key, args));
}

/** Few programs use keys. */
const functions = () => import("../../provider/functions/use-key.js");

function useKey<R>(
  name: string,
  args: KeyToUse,
  options: FunctionOptions | undefined,
  run: (key: UsedKey) => Promise<R>,
): Promise<R> {
  return callFunction(name, withoutBuffers(args), async () => {
    const known: Partial<KnownKey> = args?.key ?? {};
    const { id, version } = known;
    return run({ ...namedObject("keys", name, args?.key ? { id, version } : args, options), known });
  });
}

function useKeyOutput<A extends KeyToUse, R>(
  args: KeyToUseOutput,
  options: FunctionOutputOptions | undefined,
  run: (args: A, options: FunctionOptions) => Promise<R>,
): pulumi.Output<R> {
  const { key, ...rest } = args ?? {};
  const facts = key !== undefined && kindOf(key) === "key" ? { key: factsOf(key as Key) } : { key };
  return functionOutput<A, R>(
    withoutBuffers({ ...rest, ...(key === undefined ? {} : facts) }) as pulumi.Input<A>,
    options,
    run,
  );
}

/** An Output takes a Buffer apart into a map of its bytes, and so does the call of a mock. */
function withoutBuffers(args: object | undefined): object {
  return Object.fromEntries(
    Object.entries(args ?? {}).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? { base64url: Buffer.from(value).toString("base64url") } : value,
    ]),
  );
}

function factsOf({ id, version, keyType, curve, keySize, keyOps }: Key) {
  return { id, version, keyType, curve, keySize, keyOps };
}
