import type { OnDelete, Timeouts } from "../key/key-inputs.js";

/** Attributes of a secret that can change. Left out means the service's default. */
export interface SecretAttributes {
  enabled?: false;
  notBefore?: string;
  expiresOn?: string;
  contentType?: string;
  tags?: Record<string, string>;
}

/** A secret's inputs in normal form. The value is a digest, and never here. */
export interface SecretInputs extends SecretAttributes {
  vaultUrl: string;
  name: string;
  valueDigest?: string;
  restore?: string;
  adopt?: true;
  onDelete?: OnDelete;
  ifSoftDeleted?: "fail";
  timeouts?: Timeouts;
}

export interface SecretFacts {
  version: string;
  createdOn?: string;
  updatedOn?: string;
  recoveryLevel?: string;
  recoverableDays?: number;
  /** Attributes of an adopted or restored secret that the program leaves out: kept as they were found. */
  found?: SecretAttributes;
  /** After a refresh that found another value in the vault: the digest of the one that was to be there. */
  expectedValueDigest?: string;
  /** The current version was made outside, with the same value. */
  foreignVersion?: true;
}

export type SecretOutputs = SecretInputs & SecretFacts;
