import * as pulumi from "@pulumi/pulumi";
import type { CoveredVersion } from "../provider/backup/covered-version.js";
import { deriveOutput } from "./derived-output.js";
import type { Without } from "./object-args.js";
import { refusal } from "./refusal.js";
import { className, kindOf } from "./resource-kind.js";

/** What all backup resources take. */
export interface BackupArgs {
  /**
   * Keep the blob in a file of this folder (mode 0600) instead of in state. Relative to the project. Changing it takes the
   * backup again. Default: in state, as a secret.
   */
  to?: pulumi.Input<{ folder: pulumi.Input<string> }>;
  /**
   * Who asks the vault: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`.
   * Default: that of the resource that is backed up, else as the stack says.
   */
  credential?: pulumi.Input<string>;
}

/** A backup is of keys or of secrets: it can be restored as nothing else. */
export type BackupKind = "key" | "secret";

/**
 * One object of a backup, as `restore` takes it: a blob or where it is kept, with its name and newest version, by
 * which a restore that an interrupted run had made already is known again.
 */
export interface Restorable<Kind extends BackupKind = BackupKind> {
  kind: Kind;
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

interface Source {
  vaultUrl: pulumi.Output<string>;
  name: pulumi.Output<string>;
  version: pulumi.Output<string>;
  updatedOn: pulumi.Output<string | undefined>;
  /** Of a key whose program has one: a property that only its arguments make. */
  rotationPolicy?: pulumi.Output<unknown>;
  /** Of a resource that does not sign in as the stack does. */
  credential?: pulumi.Output<string>;
}

/** What tells a change of a managed object. A change of a key's rotation policy changes neither version nor moment. */
export function changesOf(source: object) {
  const { vaultUrl, name, version, updatedOn, rotationPolicy } = source as Source;
  return { vaultUrl, name, version, updatedOn, ...(rotationPolicy === undefined ? {} : { rotationPolicy }) };
}

/**
 * The version and last change of a managed object are inputs: a change of it re-takes the backup in the same `up`.
 *
 * @param source of the backup, `args.key` or `args.secret`: a resource of that kind, or nothing where `args` has a name.
 */
export function backupInputs<A extends object>(
  kind: BackupKind,
  name: string,
  args: A,
  source: pulumi.Resource | undefined,
) {
  const backup = `${className(kind)}Backup "${name}"`;
  if (source) return { ...credentialOf(source), ...args, ...changesOf(ofKind(kind, source, backup, kind)) };
  if ("name" in args && args.name !== undefined && args.name !== null) return args;
  throw refusal(
    backup,
    "there is nothing to back up",
    `give a ${className(kind)} of the program as \`${kind}\`, or the name of another one as \`name\``,
  );
}

/** As the resource that is backed up signs in, where it does not as the stack does. */
export function credentialOf(source: object): { credential?: pulumi.Output<string> } {
  const { credential } = source as Source;
  return credential === undefined ? {} : { credential };
}

/** Refuses what is given in the place of a resource, and a resource of another kind. An Output of one is not looked at. */
export function ofKind<T>(kind: BackupKind, given: T, resource: string, argument: string): T {
  const found = kindOf(given);
  if (found === kind || pulumi.Output.isInstance(given)) return given;
  if (found === undefined) {
    const hint = `name one that it does not manage, as in { name: "…" }`;
    throw refusal(resource, `\`${argument}\` is no ${className(kind)} of the program`, hint);
  }
  const remedy =
    found === "key" || found === "secret" ? `use a ${className(found)}Backup` : `give a ${className(kind)}`;
  throw refusal(resource, `\`${argument}\` is a ${className(found)}`, remedy);
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
export function restorableValue({
  blob,
  file,
  sourceName,
  version,
}: Omit<Restorable, "kind">): pulumi.Output<RestorableValue> {
  return pulumi.secret(
    pulumi.all([blob, file, sourceName, version]).apply(([text, path, name, newest]) => ({
      sourceName: name,
      ...(newest ? { version: newest } : {}),
      ...(path ? { file: path } : { blob: text }),
    })),
  );
}

/** What a backup resource has that `restore` reads. */
interface BackupOf<Kind extends BackupKind> {
  kind: Kind;
  blob: pulumi.Output<string>;
  name: pulumi.Output<string>;
  digest: pulumi.Output<string>;
}

/**
 * What the `restore` argument of a Key or Secret takes: a backup resource, one object of a VaultBackup
 * (`backup.key("orders")`), what another stack has as `restorable` output, or a blob from elsewhere, inline (base64url
 * text) or in a file.
 */
export type RestoreSource<Kind extends BackupKind = BackupKind> =
  | BackupOf<Kind>
  | Restorable<Kind>
  | pulumi.Input<RestorableValue>
  | ({ blob: pulumi.Input<string> } & Without<"kind" | "file">)
  | ({ file: pulumi.Input<string> } & Without<"kind" | "blob">);

/**
 * The `restore` argument as the provider takes it. Member by member, as one that a preview does not know makes all of
 * a whole unknown, and the name that the object will have with it.
 */
export function restoreInputs(
  kind: BackupKind,
  name: string,
  restore: RestoreSource | null | undefined,
): { restoreFrom?: pulumi.Inputs | pulumi.Output<unknown> } {
  if (restore === undefined || restore === null) return {};
  if (pulumi.Output.isInstance(restore) || restore instanceof Promise) return { restoreFrom: pulumi.secret(restore) };
  const found = kindOf(restore);
  if (found !== undefined && found !== `${kind}Backup`) {
    throw refusal(
      `${className(kind)} "${name}"`,
      `\`restore\` is a ${className(found)}`,
      found === "vaultBackup" ? `give one object of it: .${kind}("…")` : `give a ${className(kind)}Backup`,
    );
  }
  const { kind: of, ...source } = restore as Partial<Record<string, pulumi.Input<string>>>;
  if (of !== undefined && of !== kind) {
    throw refusal(`${className(kind)} "${name}"`, `\`restore\` is of a ${of}`, `give the backup of a ${kind}`);
  }
  const { blob, file, sourceName, name: named, version } = source;
  return {
    restoreFrom: {
      ...(blob === undefined ? {} : { blob: pulumi.secret(blob) }),
      ...(file === undefined ? {} : { file }),
      ...(sourceName === undefined && named === undefined ? {} : { sourceName: sourceName ?? named }),
      ...(version === undefined ? {} : { version }),
    },
  };
}
