import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { backupFileName } from "../provider/backup/backup-file.js";
import { parseCovered } from "../provider/backup/covered-version.js";
import type { ByKind, Collection } from "../provider/vault-backup/by-kind.js";
import {
  type BackupArgs,
  type BackupKind,
  changesOf,
  credentialOf,
  ofKind,
  type Restorable,
  type RestorableValue,
} from "./backup-resource.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { deriveOutput } from "./derived-output.js";
import { ownerInputs } from "./identity-inputs.js";
import type { Key } from "./key.js";
import { changesOfSet, type KeySet } from "./key-set.js";
import { kindOf } from "./resource-kind.js";
import { resourceOptions } from "./resource-options.js";
import type { Secret } from "./secret.js";
import { settleTransformations } from "./transformed-resource.js";

/** What to back up: a name, a glob such as `orders-*`, a resource of this program, or what to leave out (`!name`). */
type Selected<R> = One<R> | One<R>[] | pulumi.Input<string[]>;
/** @internal */
type One<R> = pulumi.Input<string> | R;

interface VaultBackupSettings extends BackupArgs {
  /**
   * URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another backup.
   * Default: the vault of the resources in `keys` and `secrets`, else the stack's `keyvault:vaultUrl`, else
   * `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /**
   * Where some objects cannot be backed up: `fail` the update with their names (the default; the others are kept
   * and the next `up` tries again), or `report` them in `failed` and go on.
   */
  onFailure?: pulumi.Input<"fail" | "report">;
  /**
   * Go on where a glob covers nothing, as in a vault that is still empty. Default false: an update that a misspelled
   * glob leaves without a backup fails with `KV_NOT_FOUND`, takes nothing, and keeps what was taken before.
   */
  allowEmpty?: pulumi.Input<boolean>;
}

interface SelectedKeys {
  /**
   * `"*"` for all, a KeySet for all of its keys. A change of a resource given here re-takes its backup in the same `up`; for names and globs the
   * vault is looked at when the resource is created, updated or refreshed. Needs keys/backup, keys/get, keys/list.
   */
  keys: Selected<Key | KeySet>;
}

interface SelectedSecrets {
  /** As `keys`. Values are never read. Needs secrets/backup and secrets/list. */
  secrets: Selected<Secret>;
}

/** At least one of `keys` and `secrets`. */
export type VaultBackupArgs = VaultBackupSettings &
  ((SelectedKeys & Partial<SelectedSecrets>) | (SelectedSecrets & Partial<SelectedKeys>));

/** A whole backup in plain text, as another stack finds it in a stack output. */
export type RestorableVault = ByKind<RestorableValue>;

/**
 * A backup of a whole vault, or of a part of it, in one resource. An update takes again only what changed.
 *
 * Blobs are encrypted by the service and restorable in the same geography and subscription. Objects that the vault no
 * longer has keep their last blob for as long as they are selected. Keys and secrets of certificates are taken only
 * by their own name.
 *
 * The engine does not know that a glob covers the program's own keys: make such a backup depend on them
 * (`{ dependsOn: keys }`), or pass them too, as in `keys: ["*", signing]`.
 *
 * @example
 * ```ts
 * const all = new keyvault.VaultBackup("all", { keys: ["*", "!scratch-*", signing], secrets: "*" });
 * export const backup = all.restorable;
 * new keyvault.Key("signing-standby", { vaultUrl: standby, restore: all.key("orders-signing") });
 * ```
 */
export class VaultBackup extends pulumi.CustomResource {
  static {
    settleTransformations(VaultBackup, "vaultBackup");
  }

  /** Of the vault that is backed up. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** The backups by kind and name: base64url text, one secret. Without entries where `to` keeps them in files. */
  declare readonly blobs: pulumi.Output<ByKind<string>>;
  /** The newest version that each backup covers. */
  declare readonly covered: pulumi.Output<ByKind<string>>;
  /** Why an object has no backup, or none of its last change. */
  declare readonly failed: pulumi.Output<ByKind<string>>;
  /** When a backup was last taken, in ISO 8601. */
  declare readonly takenOn: pulumi.Output<string>;
  /** SHA-256 of the blobs, or of the folder's manifest: `sha256:` and base64url. */
  declare readonly digest: pulumi.Output<string>;

  constructor(name: string, args: VaultBackupArgs, opts?: pulumi.CustomResourceOptions) {
    const options = resourceOptions("vaultBackup", name, opts);
    const { keys, secrets, ...rest }: Partial<VaultBackupArgs> = args ?? {};
    super(
      RESOURCE_TYPES.vaultBackup,
      name,
      {
        ...OUTPUTS,
        ...credentialOfFirst(keys, secrets),
        ...rest,
        keys: selected("key", name, keys),
        secrets: selected("secret", name, secrets),
        ...ownerInputs(RESOURCE_TYPES.vaultBackup, name, opts?.parent),
        __provider: providerText("vaultBackup"),
      },
      options,
    );
    folders.set(this, rest.to);
    // Secrets of a stack that were not carried over to another secrets provider are null.
    deriveOutput<VaultBackup, "blobs">(this, "blobs", (recorded) =>
      recorded.apply((blobs: ByKind<string> | null | undefined) => blobs ?? { keys: {}, secrets: {} }),
    );
    // State holds `version moment`, by which an update tells what changed.
    deriveOutput<VaultBackup, "covered">(this, "covered", (recorded) =>
      recorded.apply((covered: Partial<ByKind<string>> | undefined) => ({
        keys: mapped(covered?.keys, (text) => parseCovered(text).version),
        secrets: mapped(covered?.secrets, (text) => parseCovered(text).version),
      })),
    );
  }

  /** One key of the backup, as the `restore` of a Key. */
  key(name: pulumi.Input<string>): Restorable<"key"> {
    return restorable(this, "key", name);
  }

  /** One secret of the backup, as the `restore` of a Secret. */
  secret(name: pulumi.Input<string>): Restorable<"secret"> {
    return restorable(this, "secret", name);
  }

  /**
   * The whole backup in one secret, for a stack output. Each entry of its `keys` and `secrets` is what another stack
   * passes on as `restore`. State holds the blobs once more then: a large vault is better kept in a folder.
   */
  get restorable(): pulumi.Output<RestorableVault> {
    const all = pulumi.all([this.covered, this.blobs, folderOf(this)]);
    return pulumi.secret(
      all.apply(([covered, blobs, folder]) => {
        const entries = (kind: Collection): Record<string, RestorableValue> =>
          mapped(covered[kind], (version, sourceName) => ({
            sourceName,
            version,
            ...(folder === undefined
              ? { blob: blobs[kind][sourceName] ?? "" }
              : { file: blobFile(folder, kind, sourceName) }),
          }));
        return { keys: entries("keys"), secrets: entries("secrets") };
      }),
    );
  }
}

/** Every output has to be named, or the SDK makes none of it. */
const OUTPUTS = {
  vaultUrl: undefined,
  blobs: undefined,
  covered: undefined,
  failed: undefined,
  takenOn: undefined,
  digest: undefined,
};

/** Beside the class: private members would make the classes of two copies of this package two types. */
const folders = new WeakMap<VaultBackup, VaultBackupArgs["to"]>();

function folderOf(backup: VaultBackup): pulumi.Output<string | undefined> {
  return pulumi.output(folders.get(backup)).apply((to) => to?.folder);
}

function restorable<K extends BackupKind>(backup: VaultBackup, kind: K, name: pulumi.Input<string>): Restorable<K> {
  const kinds: Collection = kind === "key" ? "keys" : "secrets";
  const names = pulumi.all([backup.covered, name]).apply(([covered, wanted]) => recordedName(covered[kinds], wanted));
  return {
    kind,
    sourceName: pulumi.output(name),
    blob: pulumi.all([backup.blobs, names]).apply(([blobs, key]) => blobs[kinds][key ?? ""]) as pulumi.Output<string>,
    file: pulumi
      .all([folderOf(backup), names])
      .apply(([folder, key]) => (folder && key ? blobFile(folder, kinds, key) : undefined)),
    version: pulumi.all([backup.covered, names]).apply(([covered, key]) => covered[kinds][key ?? ""]),
  };
}

/** A VaultBackup is of one vault: who asks for one of its resources asks for all. */
function credentialOfFirst(...given: (Selected<Key | KeySet> | Selected<Secret> | undefined)[]) {
  const first = given.flat().find((item) => pulumi.Resource.isInstance(item));
  return first === undefined ? {} : credentialOf(first);
}

/** Of a resource only what tells a change of it. */
function selected(kind: "key" | "secret", name: string, given: Selected<Key | KeySet> | Selected<Secret> | undefined) {
  if (given === undefined || given === null) return undefined;
  return (Array.isArray(given) ? given : [given]).map((item) => {
    if (!pulumi.Resource.isInstance(item)) return item;
    if (kind === "key" && kindOf(item) === "keySet") return changesOfSet(item);
    return changesOf(ofKind(kind, item, `VaultBackup "${name}"`, `${kind}s`));
  });
}

function mapped<T, R>(record: Record<string, T> | undefined, map: (value: T, name: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, map(value, name)]));
}

/** Names in the vault are without case. */
function recordedName(covered: Record<string, string>, wanted: string): string | undefined {
  return Object.keys(covered).find((name) => name.toLowerCase() === wanted.toLowerCase());
}

function blobFile(folder: string, kind: Collection, name: string): string {
  return join(folder, backupFileName(kind === "keys" ? "key" : "secret", name));
}
