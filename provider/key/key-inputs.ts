import { canonicalJson } from "../engine/normal-form.js";
import type { ObjectInputs } from "../object/object-inputs.js";

export type { OnDelete } from "../object/object-inputs.js";

/** What a program says of a key beside its vault, its name and its source. */
export const KEY_SETTINGS = [
  "enabled",
  "notBefore",
  "expiresOn",
  "keyOps",
  "tags",
  "hardwareProtected",
  "exportable",
  "releasePolicy",
  "rotationPolicy",
  "onDelete",
  "ifSoftDeleted",
  "previousVersions",
] as const;

export interface GenerateInputs {
  keyType: string;
  keySize?: number;
  curve?: string;
  keepers?: Record<string, string>;
}

export interface RotationPolicyInputs {
  rotateAfter?: string;
  rotateBeforeExpiry?: string;
  expireAfter?: string;
  notifyBeforeExpiry?: string;
}

export interface ReleasePolicyInputs {
  contentType?: string;
  data: string;
  immutable?: true;
}

/** Attributes that a PATCH can change. Left out means the service's default. */
export interface KeyAttributes {
  /** True only where the program spells it, and what it leaves out is the vault's. */
  enabled?: boolean;
  notBefore?: string;
  expiresOn?: string;
  keyOps?: string[];
  tags?: Record<string, string>;
  releasePolicy?: ReleasePolicyInputs;
}

/**
 * A key's inputs in normal form: what `check` makes of the program, `read` of the vault, and what state holds.
 * Defaults are left out, moments are whole seconds in UTC, and material is a thumbprint or a digest.
 */
export interface KeyInputs extends KeyAttributes, ObjectInputs {
  thumbprint?: string;
  generate?: GenerateInputs;
  hardwareProtected?: true;
  exportable?: true;
  rotationPolicy?: RotationPolicyInputs;
}

/**
 * The vault's JWK, without what the key type implies. One object that is always there: an output that state lacks is
 * unknown in a preview, and everything derived from it with it.
 */
export interface RecordedPublicKey {
  curve?: string;
  n?: string;
  /** Only where it is not the usual 65537. */
  e?: string;
  x?: string;
  y?: string;
  /** Only where they are not all that the key type can do. */
  keyOps?: string[];
}

/** What the vault says beside the inputs. Each fact once: PEM, versioned id and the like are derived in `sdk/`. */
export interface KeyFacts {
  version: string;
  keyType: string;
  publicKey: RecordedPublicKey;
  /** Its RFC 7638 thumbprint, where a KeySet leaves the public key itself out of its state. */
  publicThumbprint?: string;
  createdOn?: string;
  updatedOn?: string;
  recoveryLevel?: string;
  recoverableDays?: number;
  /** Attributes of an adopted or restored key that the program leaves out: kept as they were found. */
  found?: KeyAttributes;
  /** The rotation policy made the current version: its expiry is the policy's. */
  rotated?: true;
  /** After a refresh that found another key in the vault: the thumbprint of the one that was to be there. */
  expectedThumbprint?: string;
  /** The current version was made outside, and no rotation policy explains it. */
  foreignVersion?: true;
  /** The program's own version was not made where the key was recovered, as far as is known. */
  awaitsVersion?: true;
  /** The vault had agreed to its recovery, and the run failed before it was seen. */
  awaitsRecovery?: true;
  /** Attributes that a refresh found set, and that no program had: none of them is ever taken for the program's. */
  setOutside?: string[];
  /** Versions that are still to be disabled, since another has taken their place. */
  superseded?: string[];
  /** The token of the owner tag that this resource has put on the key. */
  ownerToken?: string;
  /** The token that it had before, where the answer to putting ours there was lost. */
  formerToken?: string;
  /** The mark of another stack that a refresh found in the place of ours. */
  otherMark?: string;
  /** What the server gave a key that names no operations, where that is not the service's default. */
  givenKeyOps?: string[];
  /** Whether the recorded rotation policy is there is not known: the answer to writing another one was lost for good. */
  uncertainPolicy?: true;
}

/** What state holds as a key's outputs. */
export type KeyOutputs = KeyInputs & KeyFacts;

/** The order in which the service lists the operations of a key that was made without any. */
export const DEFAULT_KEY_OPS = ownEntriesOnly({
  RSA: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
  EC: ["sign", "verify"],
  oct: ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
});

/** A server may name any key type, `constructor` too. */
function ownEntriesOnly(table: Record<string, readonly string[]>): Record<string, readonly string[]> {
  Object.setPrototypeOf(table, null);
  return table;
}

/** `RSA` of `RSA-HSM`, and so on. */
export function keyFamily(keyType: string): string {
  return keyType.replace(/-HSM$/, "");
}

export function isDefaultKeyOps(keyType: string, keyOps: readonly string[]): boolean {
  const defaults = DEFAULT_KEY_OPS[keyFamily(keyType)];
  return defaults !== undefined && sameSet(defaults, keyOps);
}

/** What a Managed HSM of today adds to the operations of a key that was made without any. */
const MORE_ON_MANAGED_HSM = ownEntriesOnly({
  "EC-HSM": ["deriveKey"],
  "oct-HSM": ["sign", "verify", "deriveKey"],
});

/** Whether a key that names no operations may have got these: they are no decision of anybody's. */
export function isGivenKeyOps(keyType: string, keyOps: readonly string[]): boolean {
  const more = MORE_ON_MANAGED_HSM[keyType] ?? [];
  return (
    isDefaultKeyOps(keyType, keyOps) ||
    (more.length > 0 && sameSet([...(DEFAULT_KEY_OPS[keyFamily(keyType)] ?? []), ...more], keyOps))
  );
}

export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

/** What a key is generated from, the service's defaults left out: how a program spells it makes no difference. */
export function normalGenerate({ keyType, keySize, curve, keepers }: GivenGenerate): GenerateInputs {
  const isEc = keyFamily(keyType) === "EC";
  // Not every object can be made a number of: what is refused may be any.
  const size = typeof keySize === "object" ? Number.NaN : Number(keySize);
  return {
    keyType,
    ...(keySize === undefined || (!isEc && size === DEFAULT_RSA_SIZE) ? {} : { keySize: size }),
    ...(curve === undefined || (isEc && curve === DEFAULT_CURVE)
      ? {}
      : { curve: typeof curve === "string" ? curve : "" }),
    ...(isMap(keepers) ? { keepers } : {}),
  };
}

interface GivenGenerate {
  keyType: string;
  keySize?: unknown;
  curve?: unknown;
  keepers?: unknown;
}

function isMap(keepers: unknown): keepers is Record<string, string> {
  return keepers !== null && typeof keepers === "object" && Object.keys(keepers).length > 0;
}

export function isSameGenerate(a: GenerateInputs, b: GenerateInputs): boolean {
  return canonicalJson(normalGenerate(a)) === canonicalJson(normalGenerate(b));
}

export const DEFAULT_CURVE = "P-256";
export const DEFAULT_RSA_SIZE = 2048;

/** Whether the vault's public key can confirm a thumbprint: not that of a transfer blob or of a symmetric key. */
export function isPublicThumbprint(thumbprint: string): boolean {
  return !thumbprint.includes(":");
}
