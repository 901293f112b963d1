import { describeValue, shownName } from "../engine/described-value.js";
import { KeyVaultError } from "../keyvault/errors.js";

export type RsaCipher = "RSA-OAEP" | "RSA-OAEP-256" | "RSA1_5";
type AesBits = 128 | 192 | 256;
export type AesCipher = `A${AesBits}GCM` | `A${AesBits}CBC` | `A${AesBits}CBCPAD`;
export type AesWrap = `A${AesBits}KW`;
export type CipherAlgorithm = RsaCipher | AesCipher;
export type WrapAlgorithm = RsaCipher | AesWrap;
type Bits = 256 | 384 | 512;
export type SignatureAlgorithm = `RS${Bits}` | `PS${Bits}` | `ES${Bits}` | "ES256K";

export type KeyUse = "encrypt" | "decrypt" | "sign" | "verify" | "wrapKey" | "unwrapKey";

/** What is known of a key before it is used: of a Key, or of what `getKey` read. */
export interface KnownKey {
  keyType?: unknown;
  curve?: unknown;
  keySize?: unknown;
  keyOps?: unknown;
}

/** How an algorithm is used. Bits are those of an AES key. */
interface Algorithm {
  family: "RSA" | "EC" | "oct";
  uses: readonly KeyUse[];
  curve?: string;
  bits?: number;
  /** Of a signature: what is signed is a digest by this. */
  digest?: "sha256" | "sha384" | "sha512";
  /** What padding takes of the modulus, in bytes. */
  overhead?: number;
  mode?: "GCM" | "CBC" | "CBCPAD" | "KW";
}

const CIPHER: readonly KeyUse[] = ["encrypt", "decrypt"];
const WRAP: readonly KeyUse[] = ["wrapKey", "unwrapKey"];
const SIGNATURE: readonly KeyUse[] = ["sign", "verify"];

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ["RSA-OAEP", { family: "RSA", uses: [...CIPHER, ...WRAP], overhead: 42 }],
  ["RSA-OAEP-256", { family: "RSA", uses: [...CIPHER, ...WRAP], overhead: 66 }],
  ["RSA1_5", { family: "RSA", uses: [...CIPHER, ...WRAP], overhead: 11 }],
  ...[128, 192, 256].flatMap((bits): [string, Algorithm][] => [
    [`A${bits}GCM`, { family: "oct", uses: CIPHER, bits, mode: "GCM" }],
    [`A${bits}CBC`, { family: "oct", uses: CIPHER, bits, mode: "CBC" }],
    [`A${bits}CBCPAD`, { family: "oct", uses: CIPHER, bits, mode: "CBCPAD" }],
    [`A${bits}KW`, { family: "oct", uses: WRAP, bits, mode: "KW" }],
  ]),
  ...(["256", "384", "512"] as const).flatMap((bits): [string, Algorithm][] => [
    [`RS${bits}`, { family: "RSA", uses: SIGNATURE, digest: `sha${bits}` }],
    [`PS${bits}`, { family: "RSA", uses: SIGNATURE, digest: `sha${bits}` }],
  ]),
  ["ES256", { family: "EC", uses: SIGNATURE, curve: "P-256", digest: "sha256" }],
  ["ES384", { family: "EC", uses: SIGNATURE, curve: "P-384", digest: "sha384" }],
  ["ES512", { family: "EC", uses: SIGNATURE, curve: "P-521", digest: "sha512" }],
  ["ES256K", { family: "EC", uses: SIGNATURE, curve: "P-256K", digest: "sha256" }],
]);

/** Vaults make and take no larger RSA keys. */
const LARGEST_MODULUS = 4096;
const FAMILY_NAMES = { RSA: "an RSA key", EC: "an elliptic-curve key", oct: "a symmetric key (oct-HSM)" };

/**
 * The algorithm of that name, for that use, with that key.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` for one that there is not, or that is not for this use or this key
 */
export function algorithmFor(use: KeyUse, name: unknown, key: KnownKey): Algorithm {
  const algorithm = typeof name === "string" ? ALGORITHMS.get(name) : undefined;
  if (algorithm === undefined || !algorithm.uses.includes(use)) {
    const shown = typeof name === "string" ? shownName(name) : describeValue(name);
    throw refused(use, `${shown} is no algorithm for it`, `take one of ${namesFor(use, key)}.`);
  }
  const why = mismatch(algorithm, key);
  if (why !== undefined) throw refused(use, `${name} ${why}`, `take one of ${namesFor(use, key) || "another key's"}.`);
  if (Array.isArray(key.keyOps) && !key.keyOps.includes(use)) {
    const has = key.keyOps.length === 0 ? "none" : key.keyOps.join(", ");
    throw refused(use, `the key's operations do not include it (they are ${has})`, "add it to keyOps.");
  }
  return algorithm;
}

function mismatch({ family, curve, bits }: Algorithm, key: KnownKey): string | undefined {
  const { keyType } = key;
  if (typeof keyType !== "string") return undefined;
  if (keyType.replace(/-HSM$/, "") !== family) return `needs ${FAMILY_NAMES[family]}, and the key is ${keyType}`;
  if (curve !== undefined && typeof key.curve === "string" && key.curve !== curve) {
    return `needs curve ${curve}, and the key's is ${key.curve}`;
  }
  if (bits !== undefined && typeof key.keySize === "number" && key.keySize !== bits) {
    return `needs a key of ${bits} bits, and the key has ${key.keySize}`;
  }
  return undefined;
}

function namesFor(use: KeyUse, key: KnownKey): string {
  const fitting = [...ALGORITHMS].filter(([, each]) => each.uses.includes(use) && mismatch(each, key) === undefined);
  return fitting.map(([name]) => name).join(", ");
}

/** @throws KeyVaultError `KV_INVALID_INPUT` for more than a key, or any RSA key, can take in one block */
export function requireFitting(
  use: KeyUse,
  name: string,
  { overhead, mode }: Algorithm,
  key: KnownKey,
  data: Buffer,
): void {
  if (overhead !== undefined) {
    const bits = typeof key.keySize === "number" ? key.keySize : LARGEST_MODULUS;
    const most = Math.floor(bits / 8) - overhead;
    if (data.length <= most) return;
    const size = typeof key.keySize === "number" ? `a key of ${bits} bits` : `the largest key (${bits} bits)`;
    throw refused(
      use,
      `${data.length} bytes are more than ${name} takes: ${most} with ${size}`,
      "encrypt with a key of your own, and wrap that one.",
    );
  }
  if (mode === "CBC" && data.length % 16 !== 0) {
    throw refused(use, `${name} takes whole blocks of 16 bytes, and these are ${data.length}`, `take ${name}PAD.`);
  }
  if (mode === "KW" && (data.length % 8 !== 0 || data.length < 16)) {
    throw refused(use, `${name} takes keys of 16 bytes and more, in steps of 8, and these are ${data.length}`, "");
  }
}

export function refused(use: KeyUse, why: string, hint: string): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", `${use} is refused: ${why}`, { hint });
}
