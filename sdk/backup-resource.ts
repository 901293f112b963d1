import * as pulumi from "@pulumi/pulumi";
import { deriveOutput } from "./derived-output.js";

/** What all backup resources take. */
export interface BackupArgs {
  /** Keep the blob in a file of this folder (mode 0600) instead of in state. Relative to the project. */
  to?: pulumi.Input<{ folder: pulumi.Input<string> }>;
}

/**
 * What `restore` of a Key or Secret takes: a blob or where it is kept, with its name and newest version, by which a
 * restore that an interrupted run had made already is known again.
 */
export interface Restorable {
  blob: pulumi.Output<string>;
  file: pulumi.Output<string | undefined>;
  sourceName: pulumi.Output<string> | string;
  version: pulumi.Output<string | undefined>;
}

/** A {@link Restorable} in plain text, as another stack finds it in a stack output. */
export interface RestorableValue {
  sourceName: string;
  version?: string;
  blob?: string;
  file?: string;
}

/** What the backup of an object that the program only names covers. */
interface CoveredVersion {
  version: string;
  updatedOn?: string;
}

interface Source {
  vaultUrl: pulumi.Output<string>;
  name: pulumi.Output<string>;
  version: pulumi.Output<string>;
  updatedOn: pulumi.Output<string | undefined>;
  /** Of a key whose program has one: a property that only its arguments make. */
  rotationPolicy?: pulumi.Output<unknown>;
}

/** What tells a change of a managed object. A change of a key's rotation policy changes neither version nor moment. */
export function changesOf(source: object) {
  const { vaultUrl, name, version, updatedOn, rotationPolicy } = source as Source;
  return { vaultUrl, name, version, updatedOn, ...(rotationPolicy === undefined ? {} : { rotationPolicy }) };
}

/** The version and last change of a managed object are inputs: a change of it re-takes the backup in the same `up`. */
export function backupInputs<A extends object>(args: A, source: object | undefined) {
  return { ...args, ...(source && changesOf(source)) };
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

interface BackupResource {
  version: pulumi.Output<string>;
  blob: pulumi.Output<string>;
  file: pulumi.Output<string | undefined>;
}

/** State holds empty text where an output does not apply, as an output that it lacks would be unknown in previews. */
export function deriveBackupOutputs(resource: BackupResource): void {
  const { covered } = resource as unknown as { covered: pulumi.Output<CoveredVersion | undefined> };
  deriveOutput(resource, "version", (asked) =>
    covered.apply((newest) => (newest ? pulumi.output(newest.version) : asked)),
  );
  deriveOutput(resource, "blob", (blob) => blob.apply((text) => text || undefined) as pulumi.Output<string>);
  deriveOutput(resource, "file", (file) => file.apply((path) => path || undefined));
}

/** All that a restore needs in one secret value, for a stack output. */
export function restorableValue({ blob, file, sourceName, version }: Restorable): pulumi.Output<RestorableValue> {
  return pulumi.secret(
    pulumi.all([blob, file, sourceName, version]).apply(([text, path, name, newest]) => ({
      sourceName: name,
      ...(newest ? { version: newest } : {}),
      ...(path ? { file: path } : { blob: text }),
    })),
  );
}

/** What the `restore` argument of a Key or Secret takes: a backup resource, a part of one, or a blob from elsewhere. */
export type RestoreSource =
  | { blob: pulumi.Output<string>; name: pulumi.Output<string>; digest: pulumi.Output<string> }
  | Restorable
  | pulumi.Input<RestorableValue>
  | { blob: pulumi.Input<string> }
  | { file: pulumi.Input<string> };

/**
 * The `restore` argument as the provider takes it. Member by member, as one that a preview does not know makes all of
 * a whole unknown, and the name that the object will have with it.
 */
export function restoreInputs(restore: RestoreSource): pulumi.Inputs | pulumi.Output<unknown> {
  if (pulumi.Output.isInstance(restore) || restore instanceof Promise) return pulumi.secret(restore);
  const { blob, file, sourceName, name, version } = restore as Partial<Record<string, pulumi.Input<string>>>;
  return {
    ...(blob === undefined ? {} : { blob: pulumi.secret(blob) }),
    ...(file === undefined ? {} : { file }),
    ...(sourceName === undefined && name === undefined ? {} : { sourceName: sourceName ?? name }),
    ...(version === undefined ? {} : { version }),
  };
}
