import { createPrivateKey, type KeyObject } from "node:crypto";
import { allowedCurves, findCurve } from "./curves.js";
import {
  childrenOf,
  contentOf,
  type DerKind,
  isTruncatedDer,
  numberOf,
  outermost,
  withoutTrailingBytes,
} from "./der.js";
import { completeEcKey, type EcPrivateJwk } from "./ec-key.js";
import { toBigInt } from "./jwk-number.js";
import { type DerivationBudget, derivationProblem } from "./key-derivation.js";
import { completeRsaKey, type RsaPrivateJwk } from "./rsa-key.js";

export type PrivateJwk = RsaPrivateJwk | EcPrivateJwk;

export type PrivateKeyForm = Extract<DerKind, "pkcs1" | "pkcs8" | "sec1" | "encrypted-pkcs8">;

/** An RSA key of 8,192 bits has 4.7 KB, and one of 4,096 bits 2.4 KB: those of Key Vault are far below. */
const mostBytes = 16 * 1024;
/**
 * What an encrypted key is of shows only when OpenSSL has decoded it, which multiplies numbers of any length where it is
 * of DSA: this keeps that within seconds.
 */
const mostEncryptedBytes = 4 * 1024;

/** Decodes (and decrypts) a private key; what is wrong goes to `problems`. */
export function openPrivateKey(
  der: Buffer,
  form: PrivateKeyForm,
  { passphrase, budget }: Unlocking,
  problems: string[],
): KeyObject | undefined {
  const encrypted = form === "encrypted-pkcs8";
  const problem =
    sizeProblem(der, encrypted) ??
    (form === "pkcs8" ? typeProblem(der) : undefined) ??
    (encrypted && passphrase === undefined ? needsPassphrase : undefined) ??
    (encrypted ? derivationProblem(der, budget) : undefined);
  if (problem !== undefined) {
    problems.push(problem);
    return undefined;
  }
  const type = encrypted ? "pkcs8" : form;
  forgetEarlierErrors();
  try {
    return encrypted && passphrase !== undefined
      ? createPrivateKey({ key: der, format: "der", type, passphrase })
      : createPrivateKey({ key: der, format: "der", type });
  } catch (error) {
    problems.push(encrypted ? decryptionProblem(error) : "the private key is damaged: it cannot be decoded");
    return undefined;
  }
}

const NOTHING = { key: Buffer.of(0x30, 0), format: "der", type: "pkcs8" } as const;

/**
 * OpenSSL keeps errors that nobody has taken, and Node reports them of the next private key, though that is fine: a
 * comparison of an RSA with an EC key leaves some. What cannot be decoded at all takes them with it.
 */
export function forgetEarlierErrors(): void {
  try {
    createPrivateKey(NOTHING);
  } catch {
    // That is what it is for.
  }
}

/** What opens the keys of one source: a passphrase, where it has one, and what their derivations may cost in all. */
export interface Unlocking {
  passphrase: string | undefined;
  budget: DerivationBudget;
}

function sizeProblem(der: Buffer, encrypted: boolean): string | undefined {
  if (isTruncatedDer(der)) return "the private key is truncated: part of it is missing, export it again";
  const most = encrypted ? mostEncryptedBytes : mostBytes;
  return withoutTrailingBytes(der).length > most
    ? `the private key has ${der.length} bytes, more than any that Key Vault takes (RSA of 4096 bits)`
    : undefined;
}

/** By the identifier in a PKCS#8: OpenSSL works out the public half of a DSA or DH key, however long its numbers are. */
function typeProblem(der: Buffer): string | undefined {
  const [, algorithm] = childrenOf(der, outermost(der));
  const id = contentOf(der, childrenOf(der, algorithm)[0]).toString("hex");
  if (decodedTypes.test(id)) return undefined;
  return wrongType(foreignTypes[id] ?? "unknown");
}

/** RSA, RSA-PSS, EC, and X25519 with its kind. */
const decodedTypes = /^(2a864886f70d0101(01|0a)|2a8648ce3d0201|2b65(6e|6f|70|71))$/;
const foreignTypes: Partial<Record<string, string>> = {
  "2a8648ce380401": "dsa",
  "2a864886f70d010301": "dh",
  "2a8648ce3e0201": "dh",
};

/** @param type A word of ours or of the runtime's, never the material's. */
export function wrongType(type: string): string {
  return `this is a private key of type ${type}: Key Vault takes RSA of 2048, 3072 or 4096 bits, or EC on ${allowedCurves}`;
}

export const needsPassphrase = "the private key is encrypted: give its passphrase";

export const wrongPassphrase = "the private key cannot be decrypted: the passphrase is wrong";

/** What an error of OpenSSL's says about an encrypted key. The error itself is not kept. */
export function decryptionProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_OSSL_EVP_UNSUPPORTED"
    ? "the private key is encrypted with an outdated cipher (DES, RC2 or RC4) that this runtime no longer has: encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc"
    : wrongPassphrase;
}

/** Checks a decoded key as strictly as a JWK: a PEM or PFX can hold numbers that do not match, too. */
export function completePrivateKey(key: KeyObject, problems: string[]): PrivateJwk | undefined {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return completeRsa(key, problems);
    case "ec":
      return completeEc(key, problems);
    case "rsa-pss":
      problems.push(
        "this is an RSA key restricted to PSS, and Key Vault cannot keep the restriction: it takes plain RSA keys or EC keys",
      );
      return undefined;
    default:
      problems.push(wrongType(key.asymmetricKeyType ?? "unknown"));
      return undefined;
  }
}

function completeRsa(key: KeyObject, problems: string[]): RsaPrivateJwk | undefined {
  if (hasMorePrimes(key)) {
    problems.push("this is an RSA key of more than two primes, which Key Vault does not take: give one of two");
    return undefined;
  }
  const numbers = exportedNumbers(key, ["n", "e", "d", "p", "q", "dp", "dq", "qi"]);
  if (numbers === undefined) {
    problems.push("the RSA private key is damaged: its numbers cannot be read");
    return undefined;
  }
  const { n, e, d, p, q, dp, dq, qi } = numbers;
  return completeRsaKey(
    {
      n: toBigInt(n),
      e: toBigInt(e),
      d: toBigInt(d),
      p: toBigInt(p),
      q: toBigInt(q),
      dp: toBigInt(dp),
      dq: toBigInt(dq),
      qi: toBigInt(qi),
    },
    problems,
  );
}

/** Version 1 of PKCS#1 means more primes than two. */
function hasMorePrimes(key: KeyObject): boolean {
  const der = key.export({ type: "pkcs1", format: "der" });
  return numberOf(der, childrenOf(der, outermost(der))[0]) === 1;
}

function completeEc(key: KeyObject, problems: string[]): EcPrivateJwk | undefined {
  const name = key.asymmetricKeyDetails?.namedCurve;
  const curve = name === undefined ? undefined : findCurve(name);
  if (curve === undefined) {
    const found = name === undefined ? "with curve parameters of its own" : `on the curve ${name}`;
    problems.push(`this is an EC key ${found}: Key Vault takes ${allowedCurves}`);
    return undefined;
  }
  const numbers = exportedNumbers(key, ["d", "x", "y"]);
  if (numbers === undefined) {
    problems.push("the EC private key is damaged: its numbers cannot be read");
    return undefined;
  }
  return completeEcKey(curve, numbers, problems);
}

type JwkNumber = "n" | "e" | "d" | "p" | "q" | "dp" | "dq" | "qi" | "x" | "y";

/** The numbers of a key as the runtime exports it; undefined where one is not there. */
function exportedNumbers<N extends JwkNumber>(key: KeyObject, names: readonly N[]): Record<N, Buffer> | undefined {
  try {
    const exported = key.export({ format: "jwk" });
    const numbers: Partial<Record<N, Buffer>> = {};
    for (const name of names) numbers[name] = bytesOf(exported[name]);
    return numbers as Record<N, Buffer>;
  } catch {
    return undefined;
  }
}

function bytesOf(number: unknown): Buffer {
  if (typeof number !== "string" || !/^[A-Za-z0-9_-]+$/.test(number)) throw new TypeError("no number");
  return Buffer.from(number, "base64url");
}
