import { join } from "node:path";
import { z } from "zod";
import {
  backupFileName,
  backupFileProblem,
  MANIFEST,
  readBackupFile,
  realFolder,
  writeBackupFile,
} from "../backup/backup-file.js";
import {
  type BackupOwner,
  foreignFile,
  isForeign,
  readOwner,
  refuseForeignFile,
  type Writer,
  writerOf,
} from "../backup/backup-owner.js";
import { type CoveredVersion, coveredVersion } from "../backup/covered-version.js";
import { isRecord } from "../engine/input-check.js";
import { systemCode } from "../engine/system-code.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import { backupDigest, blobProblem } from "../object/backup-blob.js";
import { isSameVault } from "../vault/vault-identity.js";
import { type ByKind, byKind, COLLECTIONS, type Collection, itemLabel, kindOf, recorded } from "./by-kind.js";

/** Where the blobs of a VaultBackup are. */
export interface BackupShelf {
  /** An earlier blob. */
  read(collection: Collection, name: string): Promise<ShelvedBlob | undefined>;
  put(collection: Collection, name: string, blob: string, covered: CoveredVersion): Promise<void>;
  /** Before anything is put there. */
  refuseForeignFolder(): Promise<void>;
  /** Ends an update. */
  close(takenOn: string): Promise<{ blobs: ByKind<string>; digest: string }>;
}

export interface ShelvedBlob {
  blob: string;
  /** Whether it is the one that was put there. */
  isUnchanged: boolean;
}

/** Blobs in state, under one encryption. */
export class StateShelf implements BackupShelf {
  readonly #earlier: ByKind<string>;
  readonly #isEarlierKnown: boolean;
  readonly #blobs: ByKind<string> = byKind();

  /** @param digest of the earlier blobs as state has it. */
  constructor(earlier: ByKind<string> = byKind(), digest?: string) {
    this.#earlier = earlier;
    this.#isEarlierKnown = digest === digestOf(earlier);
  }

  async read(collection: Collection, name: string): Promise<ShelvedBlob | undefined> {
    const blob = recorded(this.#earlier[collection], name);
    return blob === undefined ? undefined : { blob, isUnchanged: this.#isEarlierKnown };
  }

  async put(collection: Collection, name: string, blob: string): Promise<void> {
    this.#blobs[collection][name] = blob;
  }

  async refuseForeignFolder(): Promise<void> {}

  async close(): Promise<{ blobs: ByKind<string>; digest: string }> {
    const blobs = sorted(this.#blobs);
    return { blobs, digest: digestOf(blobs) };
  }
}

const entry = z.object({ file: z.string(), version: z.string(), updatedOn: z.string(), digest: z.string() });
const manifestShape = z.object({
  vaultUrl: z.string(),
  takenOn: z.string(),
  keys: z.record(z.string(), entry),
  secrets: z.record(z.string(), entry),
});
type Entry = z.infer<typeof entry>;
type Manifest = z.infer<typeof manifestShape> & { owner?: BackupOwner };

/**
 * Blobs in a folder: a file each, and a manifest that says which version each one covers and what its digest is.
 * The files are written before the manifest, and state holds the manifest's digest: whatever is interrupted or
 * changed later shows.
 */
export class FolderShelf implements BackupShelf {
  readonly #folder: string;
  readonly #vaultUrl: string;
  readonly #digest: string | undefined;
  readonly #earlier: ByKind<Entry> & { owner?: BackupOwner };
  readonly #isEarlierKnown: boolean;
  readonly #entries: ByKind<Entry> = byKind();
  readonly #writer: Writer | undefined;

  private constructor(folder: string, vaultUrl: string, digest: string | undefined, text: string | undefined) {
    this.#folder = folder;
    this.#vaultUrl = vaultUrl;
    this.#digest = digest;
    this.#earlier = (text === undefined ? undefined : parseManifest(text)) ?? byKind();
    this.#isEarlierKnown = text !== undefined && digest === backupDigest(text);
    this.#writer = writerOf(realFolder(folder), MANIFEST);
  }

  /**
   * @param digest of the manifest as state has it.
   * @throws KeyVaultError `KV_INVALID_INPUT` where the folder holds the backup of another vault.
   */
  static async open(folder: string, vaultUrl: string, digest?: string): Promise<FolderShelf> {
    const text = await readText(join(folder, MANIFEST));
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest && !isSameVault(manifest.vaultUrl, vaultUrl)) {
      throw new KeyVaultError(
        "KV_INVALID_INPUT",
        `the backup of ${vaultUrl} was not written to ${folder}: the folder holds the backup of ${manifest.vaultUrl}`,
        { hint: "give each vault its own folder" },
      );
    }
    return new FolderShelf(folder, vaultUrl, digest, text);
  }

  /** @throws KeyVaultError `KV_ALREADY_EXISTS` where another stack writes the folder. */
  async refuseForeignFolder(): Promise<void> {
    const path = join(this.#folder, MANIFEST);
    const text = await readText(path);
    const present = text === undefined ? undefined : parseManifest(text)?.owner;
    const owner = this.#writer?.owner;
    // A stack that was renamed knows its own folder by what state holds of it.
    const isOwn = text !== undefined && this.#digest === backupDigest(text);
    if (present && owner && !isOwn && isForeign(present, owner)) throw foreignFile(path, present, path);
  }

  async read(collection: Collection, name: string): Promise<ShelvedBlob | undefined> {
    const blob = await readText(this.#path(collection, name));
    if (blob === undefined) return undefined;
    const isWhole = recorded(this.#earlier[collection], name)?.digest === backupDigest(blob);
    // An interrupted run leaves a later blob than the manifest says, which may be the last copy of its object.
    if (!isWhole && blobProblem(blob, kindOf(collection)) !== undefined) return undefined;
    return { blob, isUnchanged: isWhole && this.#isEarlierKnown };
  }

  async put(collection: Collection, name: string, blob: string, covered: CoveredVersion): Promise<void> {
    const file = backupFileName(kindOf(collection), name);
    const path = this.#path(collection, name);
    if ((await readText(path)) !== blob) {
      await refuseForeignFile(this.#folder, file, this.#writer);
      await writeBackupFile(this.#folder, file, blob);
    }
    const { version, updatedOn = "" } = covered;
    this.#entries[collection][name] = { file, version, updatedOn, digest: backupDigest(blob) };
  }

  async close(takenOn: string): Promise<{ blobs: ByKind<string>; digest: string }> {
    await this.refuseForeignFolder();
    const owner = this.#writer?.owner ?? this.#earlier.owner;
    const manifest = { ...(owner && { owner }), vaultUrl: this.#vaultUrl, takenOn, ...sorted(this.#entries) };
    const text = JSON.stringify(manifest, null, 2);
    await writeBackupFile(this.#folder, MANIFEST, `${text}\n`);
    return { blobs: byKind(), digest: backupDigest(text) };
  }

  #path(collection: Collection, name: string): string {
    return join(this.#folder, backupFileName(kindOf(collection), name));
  }
}

/** What a folder's manifest says. */
export interface FolderBackup {
  vaultUrl: string;
  takenOn: string;
  /** Who writes the folder; left out in one of version 0.1. */
  owner?: BackupOwner;
  /** Of the manifest: what state holds of a folder. */
  digest: string;
  covered: ByKind<CoveredVersion>;
  /** Of each blob. */
  digests: ByKind<string>;
}

/**
 * Reads the manifest of a folder; undefined where there is none.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` for one that cannot be read, or is none.
 */
export async function readFolderBackup(folder: string): Promise<FolderBackup | undefined> {
  const path = join(folder, MANIFEST);
  let text: string;
  try {
    text = await readBackupFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error))) return undefined;
    throw unreadable(path, systemCode(error));
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) throw unreadable(path, "it is no manifest of a backup");
  const covered = byKind<CoveredVersion>();
  const digests = byKind<string>();
  for (const collection of COLLECTIONS) {
    for (const [name, { version, updatedOn, digest }] of Object.entries(manifest[collection])) {
      // A name leads to a file, and anybody may have written the manifest.
      if (!isValidObjectName(name)) throw unreadable(path, "it names what is no key and no secret");
      covered[collection][name] = coveredVersion(version, updatedOn);
      digests[collection][name] = digest;
    }
  }
  const { vaultUrl, takenOn, owner } = manifest;
  return { vaultUrl, takenOn, ...(owner && { owner }), digest: backupDigest(text), covered, digests };
}

/**
 * Reads a blob of a folder, as its manifest says that it was written.
 *
 * @throws KeyVaultError `KV_BACKUP_REJECTED` for one that is not there, or not the one that was written.
 */
export async function readFolderBlob(
  folder: string,
  { digests }: FolderBackup,
  collection: Collection,
  name: string,
): Promise<string> {
  const path = join(folder, backupFileName(kindOf(collection), name));
  const blob = await readText(path);
  const problem =
    blob === undefined || backupDigest(blob) !== recorded(digests[collection], name)
      ? await backupFileProblem(path, recorded(digests[collection], name) ?? "")
      : blobProblem(blob, kindOf(collection));
  if (blob !== undefined && problem === undefined) return blob;
  const what = problem ?? "was changed";
  throw new KeyVaultError("KV_BACKUP_REJECTED", what.startsWith(path) ? what : `${path} ${what}`, {
    hint: "bring back the file as it was written, or take another backup.",
  });
}

function unreadable(path: string, why: string): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", `${path} cannot be read (${why})`, {
    hint: "bring it back as it was written, or use another folder",
  });
}

function digestOf(blobs: ByKind<string>): string {
  return backupDigest(JSON.stringify(sorted(blobs)));
}

/** What became of blobs in state since they were taken; nothing where all are there. */
export function stateProblems(covered: ByKind<unknown>, blobs: ByKind<string>, digest: string): string[] {
  if (digestOf(blobs) === digest) return [];
  const lost = COLLECTIONS.flatMap((collection) =>
    Object.keys(covered[collection])
      .filter((name) => recorded(blobs[collection], name) === undefined)
      .map((name) => `${itemLabel(collection, name)}: its blob in state is lost`),
  );
  return lost.length > 0 ? lost : ["the blobs in state were changed"];
}

/** What is no longer in a folder as an update left it; nothing where all is. */
export async function folderProblems(folder: string, digest: string): Promise<string[]> {
  const manifestPath = join(folder, MANIFEST);
  const text = await readText(manifestPath);
  if (text === undefined) return [`${manifestPath} cannot be read`];
  const manifest = parseManifest(text);
  if (backupDigest(text) !== digest || !manifest) return [`${manifestPath} was changed`];
  const problems: string[] = [];
  for (const collection of COLLECTIONS) {
    for (const [name, entry] of Object.entries(manifest[collection])) {
      const problem = await backupFileProblem(join(folder, backupFileName(kindOf(collection), name)), entry.digest);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems;
}

async function readText(path: string): Promise<string | undefined> {
  return readBackupFile(path).catch(() => undefined);
}

function parseManifest(text: string): Manifest | undefined {
  try {
    const found: unknown = JSON.parse(text);
    const manifest = manifestShape.safeParse(found).data;
    const owner = isRecord(found) ? readOwner(found.owner) : undefined;
    return manifest && { ...manifest, ...(owner && { owner }) };
  } catch {
    return undefined;
  }
}

function sorted<T>(entries: ByKind<T>): ByKind<T> {
  const sort = (record: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { keys: sort(entries.keys), secrets: sort(entries.secrets) };
}
