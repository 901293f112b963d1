import type { ObjectInputs } from "../object/object-inputs.js";
import type { GenerateRecipe } from "./generated-value.js";

/** Attributes of a secret that can change. Left out means the service's default. */
export interface SecretAttributes {
  /** True only where the program spells it, and what it leaves out is the vault's. */
  enabled?: boolean;
  notBefore?: string;
  expiresOn?: string;
  contentType?: string;
  tags?: Record<string, string>;
}

/** A secret's inputs in normal form. The value is a digest, and never here. */
export interface SecretInputs extends SecretAttributes, ObjectInputs {
  /** Of the program's value. Of a generated one it stands among the outputs alone: the vault's answer tells it. */
  valueDigest?: string;
  generate?: GenerateRecipe;
  /** A refresh reads the list of versions, and no value. */
  valueDrift?: false;
}

export interface SecretFacts {
  version: string;
  createdOn?: string;
  updatedOn?: string;
  recoveryLevel?: string;
  recoverableDays?: number;
  /** Attributes that the program leaves to the vault, as they were last seen. */
  found?: SecretAttributes;
  /** After a refresh that found another value in the vault: the digest of the one that was to be there. */
  expectedValueDigest?: string;
  /** The current version was made outside, with the same value, or with one that was not compared. */
  foreignVersion?: true;
  /** The program's own version was not made where the secret was recovered, as far as is known. */
  awaitsVersion?: true;
  /** The vault had agreed to its recovery, and the run failed before it was seen. */
  awaitsRecovery?: true;
  /** After a refresh that found a version made outside and could not read its value. */
  uncomparedValue?: true;
  /** Versions that are still to be disabled, since another has taken their place. */
  superseded?: string[];
  /** The token of the owner tag that this resource has put on the secret. */
  ownerToken?: string;
  /** The token that it had before, where the answer to putting ours there was lost. */
  formerToken?: string;
  /** The mark of another stack that a refresh found in the place of ours. */
  otherMark?: string;
}

export type SecretOutputs = SecretInputs & SecretFacts;
