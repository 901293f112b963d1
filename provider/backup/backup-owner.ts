import { join } from "node:path";
import { shownName } from "../engine/described-value.js";
import { isRecord } from "../engine/input-check.js";
import { systemCode } from "../engine/system-code.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { backupDigest } from "../object/backup-blob.js";
import { MANIFEST, readBackupFile, realFolder, writeBackupFile } from "./backup-file.js";

/** The resource that writes a backup file. */
export interface BackupOwner {
  project: string;
  stack: string;
  urn: string;
}

/** Who writes a folder from a shell, for no stack: no stack has a name without letters. */
export const SHELL: BackupOwner = { project: "pulumi-keyvault", stack: "", urn: "pulumi-keyvault backup" };

/** A resource of the running program that writes files. */
export interface Writer {
  /** Its token in this run. */
  claimant: string;
  /** Left out where the program does not say. */
  owner?: BackupOwner;
}

/**
 * Of this run. `check` is told whose a resource is, and state does not record it: `create` and `update` find it here.
 * Two resources that write one file would overwrite each other for ever, each seeing the other's work as drift.
 */
const writers = new Map<string, Writer>();

/**
 * Records which resource of the program writes a file. One resource may be checked several times in a run.
 *
 * @param place as {@link realFolder} names it.
 * @returns the other resource that already writes it, where there is one.
 */
export function declareWriter(place: string, fileName: string, writer: Writer): Writer | undefined {
  const holder = writerOf(place, fileName);
  if (holder !== undefined && holder.claimant !== writer.claimant) return holder;
  writers.set(fileKey(place, fileName), writer);
  return undefined;
}

export function writerOf(place: string, fileName: string): Writer | undefined {
  return writers.get(fileKey(place, fileName));
}

/** Names of objects are without case, and so are the files of many systems. */
function fileKey(place: string, fileName: string): string {
  return `${place} ${fileName.toLowerCase()}`;
}

/** For a message: ` (KeyBackup "orders")`; empty where it is not known. */
export function shownWriter({ owner }: Writer): string {
  const [, , type = "", ...name] = owner?.urn.split("::") ?? [];
  return type === "" ? "" : ` (${type.split(":").at(-1)} ${shownName(name.join("::"))})`;
}

/** Beside the file of a KeyBackup or SecretBackup: whose it is. A VaultBackup says that in its manifest. */
function ownerFileName(fileName: string): string {
  return `${fileName}.owner.json`;
}

/**
 * Makes a file one's own before it is written, so that two stacks with one folder do not overwrite each other for ever.
 * A file without an owner is of version 0.1 or of somebody's hand, and is taken over.
 *
 * @param digest of the content that the resource's state knows: a stack that was renamed finds its own file by it.
 * @throws KeyVaultError `KV_ALREADY_EXISTS` where another stack writes the file.
 */
export async function claimBackupFile(
  folder: string,
  fileName: string,
  owner: BackupOwner | undefined,
  digest?: string,
): Promise<void> {
  if (!owner) return;
  const present = await ownerOfFile(folder, fileName);
  if (present && isSameOwner(present.owner, owner)) return;
  if (present && isForeign(present.owner, owner) && !(await holds(join(folder, fileName), digest))) {
    throw foreignFile(join(folder, fileName), present.owner, present.record);
  }
  await writeBackupFile(folder, ownerFileName(fileName), `${JSON.stringify({ owner }, null, 2)}\n`);
}

/**
 * Refuses a file of a VaultBackup's folder that another resource writes, of this program or of another stack.
 *
 * @throws KeyVaultError `KV_ALREADY_EXISTS`
 */
export async function refuseForeignFile(folder: string, fileName: string, writer: Writer | undefined): Promise<void> {
  if (!writer) return;
  const { owner } = writer;
  const other = declareWriter(realFolder(folder), fileName, writer);
  if (other) {
    throw new KeyVaultError(
      "KV_ALREADY_EXISTS",
      `${join(folder, fileName)} was not written: another backup of this program writes it${shownWriter(other)}`,
      { hint: "give each its own folder" },
    );
  }
  const present = owner && (await readRecord(join(folder, ownerFileName(fileName)), ownFile));
  if (present && isForeign(present.owner, owner)) {
    throw foreignFile(join(folder, fileName), present.owner, present.record);
  }
}

/** Whose a file is, and what says so. */
interface RecordedOwner {
  owner: BackupOwner;
  record: string;
}

/** Of the file of a KeyBackup or SecretBackup; undefined where nothing says whose it is. */
async function ownerOfFile(folder: string, fileName: string): Promise<RecordedOwner | undefined> {
  return (
    (await readRecord(join(folder, ownerFileName(fileName)), ownFile)) ??
    (await readRecord(join(folder, MANIFEST), (manifest) => lists(manifest, fileName)))
  );
}

const ownFile = (): boolean => true;

function lists({ keys, secrets }: Record<string, unknown>, fileName: string): boolean {
  return [keys, secrets].some(
    (entries) =>
      isRecord(entries) && Object.values(entries).some((entry) => isRecord(entry) && entry.file === fileName),
  );
}

async function readRecord(
  path: string,
  isAbout: (found: Record<string, unknown>) => boolean,
): Promise<RecordedOwner | undefined> {
  try {
    const found: unknown = JSON.parse(await readBackupFile(path));
    const owner = isRecord(found) && isAbout(found) ? readOwner(found.owner) : undefined;
    return owner && { owner, record: path };
  } catch (error) {
    if (error instanceof SyntaxError || ["ENOENT", "ENOTDIR"].includes(systemCode(error))) return undefined;
    throw new KeyVaultError("KV_INVALID_INPUT", `${path} cannot be read (${systemCode(error)})`, {
      hint: "it says whose the backup is: check that it is a file that can be read",
    });
  }
}

export function readOwner(owner: unknown): BackupOwner | undefined {
  if (!isRecord(owner)) return undefined;
  const { project, stack, urn } = owner;
  const isWhole = typeof project === "string" && typeof stack === "string" && typeof urn === "string";
  return isWhole ? { project, stack, urn } : undefined;
}

/** Resources of one stack follow one another under other names, and those of one program are told by their claims. */
export function isForeign(present: BackupOwner, owner: BackupOwner): boolean {
  return present.project !== owner.project || present.stack !== owner.stack;
}

/** @param record the file that names the owner. */
export function foreignFile(path: string, { project, stack }: BackupOwner, record: string): KeyVaultError {
  if (stack === SHELL.stack) {
    return new KeyVaultError(
      "KV_ALREADY_EXISTS",
      `${path} was not written: it is of a backup that \`pulumi-keyvault backup\` makes, and each would overwrite the other's`,
      { hint: `give the stack a folder of its own, or delete ${record} where nobody makes that backup any more.` },
    );
  }
  return new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `${path} was not written: it is a backup of the stack ${readable(project)}/${readable(stack)}, and each would overwrite the other's`,
    { hint: `give each stack its own folder. If that stack is gone or has another name now, delete ${record}.` },
  );
}

function isSameOwner(a: BackupOwner, b: BackupOwner): boolean {
  return !isForeign(a, b) && a.urn === b.urn;
}

async function holds(path: string, digest: string | undefined): Promise<boolean> {
  if (digest === undefined) return false;
  return readBackupFile(path).then(
    (content) => backupDigest(content) === digest,
    () => false,
  );
}

/** Names of projects and stacks, of a file that anybody may have written. */
function readable(name: string): string {
  return name.replace(/[^\w.-]/g, "?").slice(0, 100);
}
