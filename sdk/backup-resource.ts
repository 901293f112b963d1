import type * as pulumi from "@pulumi/pulumi";

/** What all backup resources take. */
export interface BackupArgs {
  /** Keep the blob in a file of this folder (mode 0600) instead of in state. Relative to the project. */
  to?: pulumi.Input<{ folder: pulumi.Input<string> }>;
}

/** What the backup of an object that the program only names covers. */
export interface CoveredVersion {
  version: string;
  updatedOn?: string;
}

interface Source {
  vaultUrl: pulumi.Output<string>;
  name: pulumi.Output<string>;
  version: pulumi.Output<string>;
  updatedOn: pulumi.Output<string | undefined>;
}

/** The version and last change of a managed object are inputs: a change of it re-takes the backup in the same `up`. */
export function backupInputs<A extends object>(args: A, source: Source | undefined) {
  if (!source) return args;
  const { vaultUrl, name, version, updatedOn } = source;
  return { ...args, vaultUrl, name, version, updatedOn };
}

/** Every output has to be named, or the SDK makes none of it. */
export const backupOutputs = {
  vaultUrl: undefined,
  name: undefined,
  version: undefined,
  covered: undefined,
  blob: undefined,
  takenOn: undefined,
  digest: undefined,
  file: undefined,
};
