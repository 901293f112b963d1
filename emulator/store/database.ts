import type { DatabaseSync } from "node:sqlite";
import { makePrivate, readDatabaseHeader, unusable } from "./database-file.js";
import { StoreError } from "./store-error.js";

/** Written to the file; a file of a newer emulator is refused, an older one is brought forward. */
const schemaVersion = 1;
/** "KVEM": tells an emulator's file from any other SQLite database. */
const applicationId = 0x4b56454d;
const busyMilliseconds = 10_000;

const schema = `
CREATE TABLE objects (
  vault TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, current TEXT NOT NULL,
  phase TEXT NOT NULL, settles_at INTEGER NOT NULL, ready_at INTEGER NOT NULL, deleted_on INTEGER NOT NULL,
  purge_on INTEGER NOT NULL, managed INTEGER NOT NULL, rotation_policy TEXT, due_at INTEGER,
  PRIMARY KEY (vault, collection, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_phase ON objects (vault, collection, phase, id);
CREATE INDEX objects_by_due ON objects (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE versions (
  vault TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL, document TEXT NOT NULL,
  material TEXT,
  PRIMARY KEY (vault, collection, id, version)
) STRICT;
`;

/**
 * Opens (or makes, mode 0600) the database file; without a path, one that lives in memory.
 *
 * @param create false: a file that is not there is not made
 * @throws StoreError, before anything was changed, for a file that is no emulator's.
 */
export function openDatabase(path: string | undefined, create: boolean): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  if (path === undefined) return prepared(new DatabaseSync(":memory:"), path);
  requireOwn(path, create);
  makePrivate(path);
  try {
    return prepared(new DatabaseSync(path), path);
  } catch (error) {
    throw error instanceof StoreError ? error : openingFailure(path, error);
  }
}

function prepared(database: DatabaseSync, path: string | undefined): DatabaseSync {
  try {
    database.exec(`PRAGMA busy_timeout = ${busyMilliseconds}`);
    if (path !== undefined) switchToWal(database);
    database.exec("PRAGMA synchronous = NORMAL");
    install(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Tells a stranger's file from one of ours, and from one that is not made yet, without writing to it. */
function requireOwn(path: string, create: boolean): void {
  const header = readDatabaseHeader(path, create);
  if (header === undefined) return;
  const { applicationId: owner, userVersion, hasContent, isBehind } = header;
  // Our own mark may stand in the journal still, and nowhere else while another process makes the store.
  if (owner === 0 && isBehind) requireOwnJournal(path);
  else requireMark(path, owner, userVersion, hasContent);
}

function requireOwnJournal(path: string): void {
  try {
    const database = new (loadSqlite().DatabaseSync)(path, { readOnly: true });
    try {
      database.exec(`PRAGMA busy_timeout = ${busyMilliseconds}`);
      const content = database.prepare("SELECT count(*) AS objects FROM sqlite_schema").get();
      const [owner, version] = [pragma(database, "application_id"), pragma(database, "user_version")];
      requireMark(path, owner, version, content?.objects !== 0);
    } finally {
      database.close();
    }
  } catch (error) {
    throw error instanceof StoreError ? error : openingFailure(path, error);
  }
}

function requireMark(path: string, owner: number, version: number, hasContent: boolean): void {
  if (owner === applicationId) {
    if (version > schemaVersion) {
      throw new StoreError(
        "newer",
        `${path} was written by a newer emulator (schema ${version}, this one reads ${schemaVersion}): use that one, or another file.`,
      );
    }
    if (version < schemaVersion) {
      throw new StoreError(
        "older",
        `${path} was written by an emulator that is too old (schema ${version}, this one reads ${schemaVersion}): use another file.`,
      );
    }
  } else if (owner !== 0 || hasContent || version !== 0) {
    throw new StoreError(
      "foreign",
      `${path} is a database of another program, and was left as it is: name another file.`,
    );
  }
}

/** SQLite's own words name no file; its numbers are in its manual. */
function openingFailure(path: string, error: unknown): StoreError {
  const number = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  if (number === 26 || number === 11) {
    return new StoreError("notADatabase", `${path} is no database, or a damaged one: name another file.`, error);
  }
  return unusable(path, "opened", error);
}

/** SQLite does not wait for its busy timeout when two processes switch the journal mode at once. */
function switchToWal(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function install(database: DatabaseSync, path: string | undefined): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const found = pragma(database, "user_version");
    if (path !== undefined && found !== 0) requireMark(path, pragma(database, "application_id"), found, true);
    if (found === 0) {
      database.exec(schema);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

type Sqlite = typeof import("node:sqlite");

/**
 * `node:sqlite` warns on stderr that it is new; users of the emulator cannot act on that.
 *
 * @throws StoreError where this version of Node.js has none.
 */
function loadSqlite(): Sqlite {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    const sqlite: Sqlite | undefined = process.getBuiltinModule?.("node:sqlite");
    if (sqlite !== undefined) return sqlite;
  } finally {
    process.emitWarning = emitWarning;
  }
  throw new StoreError(
    "noDatabase",
    `The embedded vault needs Node.js 22.13 or newer, which has node:sqlite; this is ${process.version}.`,
  );
}
