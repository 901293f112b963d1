import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import { isClaimedByAnother } from "../engine/name-claims.js";
import { systemCode } from "../engine/system-code.js";
import { isUnknown } from "../engine/unknown.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { type BackupKind, backupDigest } from "../object/backup-blob.js";

/** What a VaultBackup writes last into its folder: which version each file covers. */
export const MANIFEST = "vault-backup.json";

/** `orders.keybackup`: names of objects are letters, digits and hyphens only, so they cannot lead out of the folder. */
export function backupFileName(kind: BackupKind, name: string): string {
  return `${name}.${kind}backup`;
}

/** Reads `to`, and refuses a file that another resource of the same program writes: each would undo the other's. */
export function checkBackupFolder(
  check: InputCheck,
  fileName: string | undefined,
): { folder: unknown } | string | undefined {
  const to = check.record("to", '{ folder: "backups" }');
  if (!isRecord(to)) return to;
  const { folder, ...rest } = to;
  for (const member of Object.keys(rest)) check.fail("to", `"${member}" is not a member of to`);
  if (typeof folder !== "string" || folder === "") {
    check.fail("to", 'must be { folder: "backups" }');
    return undefined;
  }
  const { claimant } = check.news;
  if (typeof claimant !== "string" || fileName === undefined || isUnknown(folder) || isUnknown(fileName))
    return { folder };
  if (isClaimedByAnother("file", resolve(folder), fileName, claimant)) {
    check.fail(
      "to",
      `another backup of this program already writes ${join(folder, fileName)}: give each its own folder`,
    );
  }
  return { folder };
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
    await mkdir(dirname(partial), { recursive: true, mode: 0o700 });
    await writeFile(partial, content, { mode: 0o600, flag: "wx", flush: true });
    await rename(partial, resolve(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new KeyVaultError("KV_INVALID_INPUT", `the backup cannot be written to ${path} (${systemCode(error)})`, {
      hint: "check that the folder of `to` can be written",
    });
  }
  return path;
}

/** What keeps a file from being the one with that digest; undefined where it is. */
export async function backupFileProblem(path: string, digest: string): Promise<string | undefined> {
  try {
    const content = await readFile(path, "latin1");
    return backupDigest(content.trim()) === digest ? undefined : `${path} was changed`;
  } catch (error) {
    return `${path} cannot be read (${systemCode(error)})`;
  }
}
