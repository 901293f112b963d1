import { basename } from "node:path";
import { describeValue, shownName } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { readRegularFile, saysMissing } from "../material/regular-file.js";
import { shownPath } from "../material/shown-place.js";
import { type BackupKind, backupDigest, blobProblem } from "./backup-blob.js";
import { type Owner, ownerOf, sourceDigest } from "./owner-tag.js";
import { keepBlob } from "./pending-material.js";

const MAX_BLOB_BYTES = 10 * 1024 * 1024;

/**
 * Reads the `restore` argument of a Key or Secret: `{ blob }` or `{ file }`, with the name and version that the SDK
 * adds where it knows them from a backup resource. The inputs keep a digest; the blob stays in this process.
 *
 * For an object that was restored already, nothing is read: every backup of the same object is other bytes, and a
 * later one changes nothing.
 *
 * @returns what goes into the inputs, and the name that the backup brings, where it is known.
 */
export function checkRestoreSource(
  check: InputCheck,
  olds: Properties,
  kind: BackupKind,
): { inputs: { restore?: string }; name?: string } {
  const restore = restoreArgument(check.news);
  if (restore === undefined || restore === null) return { inputs: {} };
  if (typeof olds.restore === "string" && !isUnknown(olds.restore)) return { inputs: { restore: olds.restore } };
  if (isUnknown(restore)) return { inputs: { restore: UNKNOWN } };
  if (!isRecord(restore)) {
    check.failUnnamed(
      `restore must be a ${kind === "key" ? "KeyBackup" : "SecretBackup"}, { blob: "…" } or { file: "…" }, and is ${describeValue(restore)}`,
    );
    return { inputs: {} };
  }
  const { blob: inline, file, sourceName, version } = restore;
  const name = knownName(check, kind, sourceName);
  if (containsUnknown([inline, file, version])) return { inputs: { restore: UNKNOWN }, ...name };
  const blob = readBlob(check, kind, restore);
  if (blob === undefined) return { inputs: {}, ...name };
  const problem = blobProblem(blob, kind);
  if (problem !== undefined) {
    const what = typeof file === "string" ? `the file ${shownPath(file)}` : "the blob to restore";
    check.failUnnamed(`KV_BACKUP_REJECTED: ${what} ${problem}`);
    return { inputs: {}, ...name };
  }
  if (name.name === undefined && check.news.name === undefined && olds.name === undefined) {
    check.failUnnamed(
      `name is needed to restore from a blob: a restored ${kind} keeps the name it was backed up under`,
    );
  }
  const digest = restoreDigest(blob, version);
  keepBlob(digest, { blob, fileSays: nameOfFile(file) });
  return { inputs: { restore: digest }, ...name };
}

/**
 * The program's `restore`. The SDK passes it as `restoreFrom`: it holds a secret, and the engine makes a secret, to be
 * encrypted at every step, of whatever `check` returns under the name of an input that holds one.
 */
function restoreArgument(news: Properties): unknown {
  return news.restoreFrom ?? news.restore;
}

/** Which of the sources that an object can have the program gives. */
export function givenSources<S extends string>(news: Properties, sources: readonly S[]): S[] {
  const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== false;
  return sources.filter((source) => isGiven(source === "restore" ? restoreArgument(news) : news[source]));
}

/** The mark of a restored object says from which backup: one of which no more than the blob is known tells no version. */
export function markOfRestored({ restore }: { restore?: string }, owner: Owner | undefined): Owner | undefined {
  const [digest] = restore?.split(" ") ?? [];
  return owner === undefined || digest === undefined ? owner : { ...owner, source: sourceDigest(digest) };
}

/** Whether an object came from the backup of a `restore` input, by its version or its mark: that restore has happened. */
export function isRestoredFrom(
  restore: string,
  { version, tags }: { version?: string; tags?: Record<string, string> },
): boolean {
  const [digest = ""] = restore.split(" ");
  return restore === `${digest} of version ${version}` || ownerOf(tags)?.source === sourceDigest(digest);
}

/** Whether a `restore` input says which version its backup is of. */
export function saysVersion(restore: string): boolean {
  return restore.includes(" of version ");
}

/** By which a `restore` input names its blob, and the version that it is of where that is known. */
export function restoreDigest(blob: string, version: unknown): string {
  return `${backupDigest(blob)}${typeof version === "string" && version ? ` of version ${version}` : ""}`;
}

function knownName(check: InputCheck, kind: BackupKind, sourceName: unknown): { name?: string } {
  if (typeof sourceName !== "string" || isUnknown(sourceName)) return {};
  const { name } = check.news;
  if (typeof name === "string" && !isUnknown(name) && name.toLowerCase() !== sourceName.toLowerCase()) {
    check.fail(
      "name",
      `a restored ${kind} keeps the name it was backed up under: set it to ${shownName(sourceName)} or leave it out`,
    );
  }
  return { name: sourceName };
}

/** A blob given inline or in a file. Problems are reported without any of its bytes. */
function readBlob(check: InputCheck, kind: BackupKind, { blob, file, sourceName }: Properties): string | undefined {
  if (typeof blob === "string" && blob !== "") return blob.trim();
  if (typeof file !== "string" || file === "") {
    check.failUnnamed(
      typeof sourceName === "string"
        ? `the backup to restore from holds no ${kind} ${shownName(sourceName)}`
        : "restore has nothing to restore from: expected a backup resource, { blob } or { file }",
    );
    return undefined;
  }
  const found = readRegularFile(file, MAX_BLOB_BYTES);
  if (found.status === "read") return blobOfFile(found.bytes);
  check.fail(
    "restore",
    `the backup file ${shownPath(file)}: ${found.status === "missing" ? `it ${saysMissing(file)}` : found.reason}`,
  );
  return undefined;
}

/** The name of a file that a backup resource or `pulumi-keyvault backup` has written: `orders.keybackup`. */
function nameOfFile(file: unknown): string | undefined {
  if (typeof file !== "string") return undefined;
  return /^([0-9A-Za-z-]{1,127})\.(?:key|secret)backup$/.exec(basename(file))?.[1];
}

/** A file holds the text that Backup Key returns, or, as `az` and PowerShell write it, the bytes that the text stands for. */
function blobOfFile(bytes: Buffer): string {
  const head = bytes.subarray(0, 64).toString("latin1");
  const isContainer = /^.AzureKeyVault/s.test(head) || /^eyJ[\w-]+\./.test(head);
  return isContainer ? bytes.toString("base64url") : bytes.toString("latin1").trim();
}
