import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../engine/system-code.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { type BackupKind, backupDigest } from "../object/backup-blob.js";

/** What a VaultBackup writes last into its folder: which version each file covers, and whose the folder is. */
export const MANIFEST = "vault-backup.json";

/** More than the blob of 500 versions, and than the manifest of 100,000 objects. */
const MOST_BYTES = 64 * 1024 * 1024;

/** `orders.keybackup`: names of objects are letters, digits and hyphens only, so they cannot lead out of the folder. */
export function backupFileName(kind: BackupKind, name: string): string {
  return `${name}.${kind}backup`;
}

/** One name of a folder, whether it is there already or not: two links to one folder are one place. */
export function realFolder(folder: string): string {
  const path = resolve(folder);
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realFolder(parent), basename(path));
  }
}

/**
 * Writes a file for its owner only, so that it is whole or as it was before.
 *
 * @returns the path as the program would write it.
 */
export async function writeBackupFile(folder: string, fileName: string, content: string): Promise<string> {
  const path = join(folder, fileName);
  const partial = `${resolve(path)}.${randomBytes(6).toString("hex")}.partial`;
  try {
    await makeFolder(dirname(partial));
    await writeFile(partial, content, { mode: 0o600, flag: "wx", flush: true });
    await rename(partial, resolve(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new KeyVaultError("KV_INVALID_INPUT", `the backup cannot be written to ${path} (${systemCode(error)})`, {
      hint: "check that its folder can be made and written",
    });
  }
  return path;
}

/**
 * From the top down, so that another writer who makes the same folders at the same moment is no failure. Node's own
 * recursive mkdir never ends where a folder that is there answers ENOENT to a new one, as /proc does.
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Reads the text of a backup file or manifest. What is no file is not opened: a pipe would never answer.
 *
 * @throws an error that {@link systemCode} reads.
 */
export async function readBackupFile(path: string): Promise<string> {
  const { size, ...found } = await stat(path).then((each) => ({ size: each.size, isFile: each.isFile() }));
  if (!found.isFile) throw Object.assign(new Error("not a file"), { code: "not a file" });
  if (size > MOST_BYTES) throw Object.assign(new Error("too large"), { code: "too large" });
  return (await readFile(path, "utf8")).trim();
}

/** What keeps a file from being the one with that digest; undefined where it is. */
export async function backupFileProblem(path: string, digest: string): Promise<string | undefined> {
  try {
    return backupDigest(await readBackupFile(path)) === digest ? undefined : `${path} was changed`;
  } catch (error) {
    return `${path} cannot be read (${systemCode(error)})`;
  }
}
