import type { BackupFolder } from "../backup/backup-file.js";

/** The two kinds of objects that a vault backs up, under the names that the service's URLs have for them. */
export const COLLECTIONS = ["keys", "secrets"] as const;
export type Collection = (typeof COLLECTIONS)[number];

/** A key and a secret may have the same name: everything by name is kept by kind. */
export interface ByKind<T> {
  keys: Record<string, T>;
  secrets: Record<string, T>;
}

export const ON_FAILURE = ["fail", "report"] as const;

/** A VaultBackup's inputs in normal form. */
export interface VaultBackupInputs {
  vaultUrl: string;
  /** Names and globs, sorted; left out where none are backed up. */
  keys?: string[];
  secrets?: string[];
  /** A short digest of version and last change of each resource of the same program, whose changes re-take the backup. */
  revisions?: Partial<ByKind<string>>;
  to?: BackupFolder;
  /** Left out: `fail`. */
  onFailure?: "report";
}

/** What state holds. Outputs are always all there: one that state lacks is unknown in every preview. */
export interface VaultBackupOutputs extends VaultBackupInputs {
  /** Version and last change that the backup covers, as one text: `version moment`. */
  covered: ByKind<string>;
  /** A secret. Without entries where `to` keeps the blobs. */
  blobs: ByKind<string>;
  /** Why an object has no backup, or none of its last change. */
  failed: ByKind<string>;
  takenOn: string;
  /** Of the blobs, or of the folder's manifest. */
  digest: string;
}

export function byKind<T>(): ByKind<T> {
  return { keys: {}, secrets: {} };
}

export function kindOf(collection: Collection): "key" | "secret" {
  return collection === "keys" ? "key" : "secret";
}

/** `key "orders"`. */
export function objectLabel(collection: Collection, name: string): string {
  return `${kindOf(collection)} "${name}"`;
}

/** What is recorded under a name. A key may well be named `constructor`. */
export function recorded<T>(entries: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
