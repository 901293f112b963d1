import { chmodSync, closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

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

/** Opens (or makes, mode 0600) the database file; without a path, one that lives in memory. */
export function openDatabase(path: string | undefined): DatabaseSync {
  if (path !== undefined) makePrivate(path);
  const database = new (loadSqlite().DatabaseSync)(path ?? ":memory:");
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

/** SQLite gives its journal files the mode of the database, so it has to be right before the first write. */
function makePrivate(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
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
    const owner = pragma(database, "application_id");
    if (owner !== 0 && owner !== applicationId) throw new Error(`${path} is a database of another program.`);
    if (found > schemaVersion) {
      throw new Error(`${path} was written by a newer emulator (schema ${found}, this one reads ${schemaVersion}).`);
    }
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

/** `node:sqlite` warns on stderr that it is new; users of the emulator cannot act on that. */
function loadSqlite(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}
