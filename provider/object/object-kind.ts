import type { Properties } from "../engine/lifecycle.js";
import type { AttributeRules } from "./attributes.js";
import type { ObjectInputs } from "./object-inputs.js";
import type { Owner } from "./owner-tag.js";
import type { BindObject, LookAgain, VaultObject, VersionBundle } from "./vault-object.js";

/** What state remembers of an object beside its inputs and what the vault says of its version. */
export interface ObjectMarks<A> {
  /** Attributes that the program leaves to the vault, as they were last seen. */
  found?: A;
  /** The token of the owner tag, where the object carries ours. */
  ownerToken?: string;
  /** The token of this stack that the object had, or an empty one, where ours was to take its place and its answer was lost. */
  formerToken?: string;
  /** The mark of another stack that a refresh found in the place of ours, or that was there when it was adopted without ours. */
  otherMark?: string;
  /** The current version is not one that the program asked for. */
  foreignVersion?: true;
  /** The program's own version was not made where its object was recovered, as far as is known. */
  awaitsVersion?: true;
  /** The vault had agreed to its recovery, and the run failed before it was seen. */
  awaitsRecovery?: true;
  /** Versions that are still to be disabled. */
  superseded?: string[];
  /** Of a key: whether its rotation policy is the recorded one is not known. */
  uncertainPolicy?: true;
}

/** What a PATCH has to know of the version that it names. */
export interface PatchedVersion {
  version: string;
  /** Of a key. */
  keyType?: string;
  /** Of a secret that was read. */
  value?: string;
}

/** How an object came to a creation. */
export interface FoundObject<I, A> {
  /** Whether it was there before, active or deleted. */
  isFound: boolean;
  /** Keeps for state what is there beside the program's inputs, until it is as the program says. */
  note(there: Noted<I, A>): void;
}

/** What a failure records beside what was reached. */
export interface Noted<I, A> {
  inputs?: Partial<I>;
  marks?: ObjectMarks<A>;
}

/** What makes a key a key and a secret a secret in the one life that both have. */
export interface ObjectKind<I extends ObjectInputs, A extends object, B extends VersionBundle> {
  readonly noun: "key" | "secret";
  readonly collection: "keys" | "secrets";
  readonly bind: BindObject<B>;
  readonly attributes: AttributeRules<I, A, B>;
  /** Whether a version is what the program's source gives; undefined where that cannot be told. */
  matches(inputs: I, bundle: B): Promise<boolean | undefined>;
  /** Throws where a version can never become what the program says: another type, or other material than to be adopted. */
  verify(inputs: I, bundle: Partial<B>, doing: "adopt" | "recover"): void;
  /** One request that makes a version from the program's source. Nothing of an earlier version is inherited. */
  send(object: VaultObject<B>, inputs: I, attributes: A, lookAgain: LookAgain): Promise<B>;
  /** One request that gives the named attributes of a version their target values. */
  patch(object: VaultObject<B>, version: PatchedVersion, changed: readonly (keyof A)[], target: A): Promise<B>;
  outputs(inputs: I, bundle: B, marks: ObjectMarks<A>): Properties | Promise<Properties>;
  /**
   * Inputs that describe what is there, where a later step failed: the next `up` sees what is missing.
   *
   * @param isMade whether this creation has made the version, and so knows what it is of; otherwise it is only of the
   *   program's source where that can be told.
   */
  reached(inputs: I, bundle: B, isMade: boolean): Promise<{ inputs: I; marks: ObjectMarks<A> }>;
  /** The owner as a version of this source carries it. */
  owner(inputs: I, owner: Owner | undefined): Owner | undefined;
  /**
   * Makes sure that a version without these attributes is of the same material as this one. Throws where it could only
   * be one of new material.
   */
  repeatSource(object: VaultObject<B>, inputs: I, bundle: B, cleared: readonly (keyof A)[]): Promise<void>;
  /** What follows once the version is there: a key's rotation policy. */
  complete?(object: VaultObject<B>, inputs: I, found: FoundObject<I, A>): Promise<void>;
}
