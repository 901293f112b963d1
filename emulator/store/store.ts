import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { anyRecord, type Shape } from "../shape.js";
import { openDatabase } from "./database.js";
import { OpenFile } from "./open-file.js";
import {
  keyDocumentShape,
  rotationPolicyShape,
  type StoredCollection,
  type StoredKeyVersion,
  type StoredObject,
  type StoredSecretVersion,
  secretVersionShape,
} from "./stored-object.js";

export interface Versions {
  readonly keys: StoredKeyVersion;
  readonly secrets: StoredSecretVersion;
}
const shapes: { readonly [C in StoredCollection]: Shape<Versions[C]> } = {
  keys: keyDocumentShape,
  secrets: secretVersionShape,
};

/** A row of a list: the object and its current version. */
export interface Listed<C extends StoredCollection> {
  readonly object: StoredObject;
  readonly version: Versions[C];
}

/** An object as it was read, and its current version. */
interface Seen {
  readonly object: StoredObject;
  readonly row: Row;
  version?: Versions[StoredCollection];
}

/** How many objects are kept beside the database; then all are forgotten. */
const mostSeen = 1_000;

/**
 * Everything an emulator remembers, in one SQLite database (in memory without a path). Several processes may hold
 * the same file open: each request is one transaction, and an acknowledged one survives the death of its process.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Nobody else can write to a database in memory. */
  readonly #shared: boolean;
  readonly #file: OpenFile | undefined;
  readonly #seen = new Map<string, Seen>();
  #dataVersion = -1;
  #depth = 0;
  #nextDue = 0;
  #nextDueKnownUntil = 0;

  /** @throws StoreError */
  constructor(path: string | undefined, create: boolean) {
    this.#database = openDatabase(path, create);
    this.#shared = path !== undefined;
    this.#file = path === undefined ? undefined : new OpenFile(path);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /**
   * Runs all of a `write` or nothing. A `snapshot` sees one moment of the vault; a `read` is for one statement, or for
   * several that may see what happens in between.
   */
  transaction<T>(mode: "read" | "snapshot" | "write", run: () => T): T {
    if (this.#depth > 0) return run();
    this.#file?.requireInPlace(mode === "write");
    if (mode === "read" || (mode === "snapshot" && !this.#shared)) {
      this.#forgetForeignChanges();
      return run();
    }
    this.#prepare(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN").run();
    this.#depth += 1;
    this.#forgetForeignChanges();
    try {
      const result = run();
      this.#prepare("COMMIT").run();
      return result;
    } catch (error) {
      this.#prepare("ROLLBACK").run();
      this.#seen.clear();
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  find(vault: string, collection: StoredCollection, name: string): StoredObject | undefined {
    const id = name.toUpperCase();
    const key = `${vault}/${collection}/${id}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) return { ...seen.object };
    const row = this.#prepare(
      `SELECT objects.*, versions.document, versions.material FROM objects LEFT JOIN versions
         ON versions.vault = objects.vault AND versions.collection = objects.collection
        AND versions.id = objects.id AND versions.version = objects.current
       WHERE objects.vault = ? AND objects.collection = ? AND objects.id = ?`,
    ).get(vault, collection, id);
    if (row === undefined) return undefined;
    const object = readObject(row);
    if (this.#seen.size >= mostSeen) this.#seen.clear();
    if (row.document !== null) this.#seen.set(key, { object, row });
    return { ...object };
  }

  save(object: StoredObject): void {
    this.#nextDueKnownUntil = 0;
    this.#seen.delete(keyOf(object));
    this.#prepare(
      `INSERT INTO objects (vault, collection, id, name, current, phase, settles_at, ready_at, deleted_on, purge_on, managed, rotation_policy, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (vault, collection, id) DO UPDATE SET name = excluded.name, current = excluded.current,
         phase = excluded.phase, settles_at = excluded.settles_at, ready_at = excluded.ready_at,
         deleted_on = excluded.deleted_on, purge_on = excluded.purge_on, managed = excluded.managed,
         rotation_policy = excluded.rotation_policy, due_at = excluded.due_at`,
    ).run(
      object.vault,
      object.collection,
      object.name.toUpperCase(),
      object.name,
      object.current,
      object.phase,
      object.settlesAt,
      object.readyAt,
      object.deletedOn,
      object.purgeOn,
      object.managed ? 1 : 0,
      object.rotationPolicy === undefined ? null : JSON.stringify(object.rotationPolicy),
      object.dueAt ?? null,
    );
  }

  /** Forgets the object and all of its versions. */
  remove(object: StoredObject): void {
    this.#nextDueKnownUntil = 0;
    this.#seen.delete(keyOf(object));
    const id: [string, string, string] = [object.vault, object.collection, object.name.toUpperCase()];
    this.#prepare("DELETE FROM versions WHERE vault = ? AND collection = ? AND id = ?").run(...id);
    this.#prepare("DELETE FROM objects WHERE vault = ? AND collection = ? AND id = ?").run(...id);
  }

  removeVersions(object: StoredObject): void {
    this.#seen.delete(keyOf(object));
    this.#prepare("DELETE FROM versions WHERE vault = ? AND collection = ? AND id = ?").run(
      object.vault,
      object.collection,
      object.name.toUpperCase(),
    );
  }

  version<C extends StoredCollection>(
    object: StoredObject & { collection: C },
    version: string,
  ): Versions[C] | undefined {
    const seen = this.#seen.get(keyOf(object));
    if (seen !== undefined && version === seen.object.current) {
      const current = (seen.version as Versions[C] | undefined) ?? readVersion(object.collection, seen.row);
      seen.version = current;
      return current;
    }
    const row = this.#prepare(
      "SELECT document, material FROM versions WHERE vault = ? AND collection = ? AND id = ? AND version = ?",
    ).get(object.vault, object.collection, object.name.toUpperCase(), version.toLowerCase());
    return row === undefined ? undefined : readVersion(object.collection, row);
  }

  saveVersion<C extends StoredCollection>(object: StoredObject & { collection: C }, version: Versions[C]): void {
    this.#seen.delete(keyOf(object));
    const { material, ...document } = "material" in version ? version : { ...version, material: undefined };
    this.#prepare(
      `INSERT INTO versions (vault, collection, id, version, document, material) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (vault, collection, id, version) DO UPDATE SET document = excluded.document, material = excluded.material`,
    ).run(
      object.vault,
      object.collection,
      object.name.toUpperCase(),
      version.version,
      JSON.stringify(document),
      material === undefined ? null : JSON.stringify(material),
    );
  }

  /** Versions in the order of their ids, from `from` on. */
  versions<C extends StoredCollection>(
    object: StoredObject & { collection: C },
    from = "",
    limit = Number.MAX_SAFE_INTEGER,
  ): Versions[C][] {
    return this.#prepare(
      `SELECT document, material FROM versions WHERE vault = ? AND collection = ? AND id = ? AND version >= ?
       ORDER BY version LIMIT ?`,
    )
      .all(object.vault, object.collection, object.name.toUpperCase(), from.toLowerCase(), limit)
      .map((row) => readVersion(object.collection, row));
  }

  /** Objects of a phase whose window has passed, in the order of their upper-cased names, from `from` on. */
  page<C extends StoredCollection>(
    vault: string,
    collection: C,
    phase: "active" | "deleted",
    now: number,
    from: string,
    limit: number,
  ): Listed<C>[] {
    return this.#prepare(
      `SELECT objects.*, versions.document, versions.material FROM objects JOIN versions
         ON versions.vault = objects.vault AND versions.collection = objects.collection
        AND versions.id = objects.id AND versions.version = objects.current
       WHERE objects.vault = ? AND objects.collection = ? AND objects.phase = ? AND objects.id >= ?
         AND objects.settles_at <= ?
       ORDER BY objects.id LIMIT ?`,
    )
      .all(vault, collection, phase, from, now, limit)
      .map((row) => ({ object: readObject(row), version: readVersion(collection, row) }));
  }

  /** Objects on which the clock has something to do. */
  due(now: number, limit: number): StoredObject[] {
    return this.#prepare("SELECT * FROM objects WHERE due_at <= ? ORDER BY due_at LIMIT ?")
      .all(now, limit)
      .map(readObject);
  }

  /**
   * Whether `due` would find anything. What other processes have written to the file is seen within a twentieth of a
   * second, so that not every request has to look.
   */
  hasDue(now: number): boolean {
    const today = this.#shared ? performance.now() : 0;
    if (today >= this.#nextDueKnownUntil) {
      const row = this.#prepare("SELECT min(due_at) AS due FROM objects WHERE due_at IS NOT NULL").get();
      this.#nextDue = typeof row?.due === "number" ? row.due : Number.POSITIVE_INFINITY;
      this.#nextDueKnownUntil = this.#shared ? today + 50 : Number.POSITIVE_INFINITY;
    }
    return this.#nextDue <= now;
  }

  /** SQLite counts what other connections have committed to the file. */
  #forgetForeignChanges(): void {
    if (!this.#shared) return;
    const version = Number(this.#prepare("PRAGMA data_version").get()?.data_version);
    if (version !== this.#dataVersion) this.#seen.clear();
    this.#dataVersion = version;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

const keyOf = (object: StoredObject) => `${object.vault}/${object.collection}/${object.name.toUpperCase()}`;

type Row = Record<string, SQLOutputValue>;

function readObject(row: Row): StoredObject {
  const policy = row.rotation_policy;
  const due = row.due_at;
  return {
    vault: String(row.vault),
    collection: row.collection === "secrets" ? "secrets" : "keys",
    name: String(row.name),
    current: String(row.current),
    phase: row.phase === "active" || row.phase === "deleted" ? row.phase : "purged",
    settlesAt: Number(row.settles_at),
    readyAt: Number(row.ready_at),
    deletedOn: Number(row.deleted_on),
    purgeOn: Number(row.purge_on),
    managed: row.managed === 1,
    rotationPolicy: typeof policy === "string" ? readDocument(rotationPolicyShape, policy) : undefined,
    dueAt: due === null || due === undefined ? undefined : Number(due),
  };
}

/** Private material is parsed only when somebody asks for it: most requests never do. */
function readVersion<C extends StoredCollection>(collection: C, row: Row): Versions[C] {
  const document = readDocument(shapes[collection], row.document);
  const material = row.material;
  if (typeof material !== "string") return document;
  return Object.defineProperty(document, "material", {
    get: () => readDocument(anyRecord(), material),
    enumerable: true,
    configurable: true,
  });
}

function readDocument<T>(shape: Shape<T>, document: SQLOutputValue | SQLInputValue | undefined): T {
  const parsed: unknown = typeof document === "string" ? JSON.parse(document) : undefined;
  const checked = shape.check(parsed);
  if (checked === undefined) throw new Error("The emulator's store holds a document that this version cannot read.");
  return checked.value;
}
