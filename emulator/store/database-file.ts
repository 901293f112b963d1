import { chmodSync, closeSync, existsSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "./store-error.js";

/** What a file says of itself in the header of a SQLite database. */
export interface DatabaseHeader {
  readonly applicationId: number;
  readonly userVersion: number;
  /** There is a table, or anything else. */
  readonly hasContent: boolean;
  /** A journal beside it may hold a later header than this one. */
  readonly isBehind: boolean;
}

const magic = "SQLite format 3\0";

/**
 * Looks at the file of a store, and touches nothing. Without a header it is yet to be made.
 *
 * @param create false: a file that is not there, or empty, is an error
 * @throws StoreError for what is no database, and for what cannot be read.
 */
export function readDatabaseHeader(path: string, create: boolean): DatabaseHeader | undefined {
  const found = statOf(path);
  if (found === undefined) {
    if (!create) throw new StoreError("missing", `There is no embedded vault ${path}: check the path.`);
    requireFolder(path);
    return undefined;
  }
  // A FIFO or a device would never let go of who opens it.
  if (!found.isFile()) {
    throw new StoreError(
      "notAFile",
      `${path} is ${found.isDirectory() ? "a folder" : "no regular file"}: name a file.`,
    );
  }
  if (found.size === 0) {
    if (!create) throw new StoreError("missing", `${path} is empty: it holds no embedded vault yet.`);
    return undefined;
  }
  const bytes = firstBytes(path);
  if (bytes.subarray(0, magic.length).toString("latin1") !== magic || bytes.length < 108) {
    throw new StoreError("notADatabase", `${path} is no database, and so no embedded vault: name another file.`);
  }
  return {
    applicationId: bytes.readUInt32BE(68),
    userVersion: bytes.readUInt32BE(60),
    // The root page of the schema: an inner page, or a leaf with cells on it.
    hasContent: bytes[100] !== 0x0d || bytes.readUInt16BE(103) > 0,
    isBehind: [`${path}-wal`, `${path}-journal`].some((journal) => existsSync(journal)),
  };
}

/** SQLite gives its journal files the mode of the database, so it has to be right before the first write. */
export function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
    if ((statSync(path).mode & 0o777) !== 0o600) chmodSync(path, 0o600);
  } catch (error) {
    throw unusable(path, "written to", error);
  }
}

/** @param what cannot be done with it: "read", "opened", … */
export function unusable(path: string, what: string, error: unknown): StoreError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return new StoreError(
    "unreadable",
    `The embedded vault ${path} cannot be ${what} (${code}): check its owner, its permissions and its folder's.`,
    error,
  );
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") throw notInAFolder(path);
    throw unusable(path, "looked at", error);
  }
}

function requireFolder(path: string): void {
  const folder = statOf(dirname(path));
  if (folder === undefined) {
    throw new StoreError(
      "missingFolder",
      `The embedded vault ${path} cannot be made, for there is no folder ${dirname(path)}: make it first.`,
    );
  }
  if (!folder.isDirectory()) throw notInAFolder(path);
}

const notInAFolder = (path: string) =>
  new StoreError("missingFolder", `The embedded vault ${path} cannot be there: a part of its path is no folder.`);

function firstBytes(path: string): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const bytes = Buffer.alloc(128);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  } catch (error) {
    throw unusable(path, "read", error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
