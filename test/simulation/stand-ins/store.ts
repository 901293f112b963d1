import type { Listed, Store as RealStore, Versions } from "../../../emulator/store/store.js";
import type { StoredCollection, StoredObject } from "../../../emulator/store/stored-object.js";

export type * from "../../../emulator/store/store.js";

interface Held {
  readonly object: StoredObject;
  /** By their ids. */
  readonly versions: ReadonlyMap<string, Versions[StoredCollection]>;
}

const NO_VERSIONS: Held["versions"] = new Map();

/** What the vault remembers, without a database: a simulation is one process that nobody else shares it with. */
export class Store implements Pick<RealStore, keyof RealStore> {
  readonly #held = new Map<string, Held>();
  /** What a transaction has changed, as it was before. */
  #before: Map<string, Held | undefined> | undefined;

  close(): void {
    this.#held.clear();
  }

  transaction<T>(_mode: "read" | "snapshot" | "write", run: () => T): T {
    if (this.#before !== undefined) return run();
    const before = new Map<string, Held | undefined>();
    this.#before = before;
    try {
      return run();
    } catch (error) {
      this.#before = undefined;
      for (const [key, held] of before) this.#put(key, held);
      throw error;
    } finally {
      this.#before = undefined;
    }
  }

  find(vault: string, collection: StoredCollection, name: string): StoredObject | undefined {
    const held = this.#held.get(`${vault}/${collection}/${name.toUpperCase()}`);
    return held === undefined ? undefined : { ...held.object };
  }

  save(object: StoredObject): void {
    const key = keyOf(object);
    this.#put(key, { object: { ...object }, versions: this.#held.get(key)?.versions ?? NO_VERSIONS });
  }

  remove(object: StoredObject): void {
    this.#put(keyOf(object), undefined);
  }

  removeVersions(object: StoredObject): void {
    this.#put(keyOf(object), { object: { ...object }, versions: NO_VERSIONS });
  }

  version<C extends StoredCollection>(
    object: StoredObject & { collection: C },
    version: string,
  ): Versions[C] | undefined {
    return this.#versions(object).get(version.toLowerCase());
  }

  saveVersion<C extends StoredCollection>(object: StoredObject & { collection: C }, version: Versions[C]): void {
    const key = keyOf(object);
    // As a database keeps it: what becomes of the original changes nothing here.
    const kept: Versions[C] = JSON.parse(JSON.stringify(version));
    const held = this.#held.get(key);
    const versions = new Map(held?.versions).set(kept.version, kept);
    this.#put(key, { object: held?.object ?? { ...object }, versions });
  }

  versions<C extends StoredCollection>(
    object: StoredObject & { collection: C },
    from = "",
    limit = Number.MAX_SAFE_INTEGER,
  ): Versions[C][] {
    return [...this.#versions(object)]
      .filter(([id]) => id >= from.toLowerCase())
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([, version]) => version);
  }

  page<C extends StoredCollection>(
    vault: string,
    collection: C,
    phase: "active" | "deleted",
    now: number,
    from: string,
    limit: number,
  ): Listed<C>[] {
    const ids = `${vault}/${collection}/`;
    return [...this.#held]
      .filter(([key, { object }]) => {
        const isOfList = key.startsWith(ids) && object.phase === phase && object.settlesAt <= now;
        return isOfList && key >= `${ids}${from}`;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { object, versions }]) => {
        const version = versions.get(object.current) as Versions[C] | undefined;
        return version === undefined ? [] : [{ object: { ...object }, version }];
      })
      .slice(0, limit);
  }

  due(now: number, limit: number): StoredObject[] {
    return [...this.#held.values()]
      .flatMap(({ object }) => (object.dueAt !== undefined && object.dueAt <= now ? [{ ...object }] : []))
      .sort((a, b) => Number(a.dueAt) - Number(b.dueAt))
      .slice(0, limit);
  }

  hasDue(now: number): boolean {
    for (const { object } of this.#held.values()) if (object.dueAt !== undefined && object.dueAt <= now) return true;
    return false;
  }

  #versions<C extends StoredCollection>(object: StoredObject & { collection: C }): ReadonlyMap<string, Versions[C]> {
    return (this.#held.get(keyOf(object))?.versions ?? NO_VERSIONS) as ReadonlyMap<string, Versions[C]>;
  }

  #put(key: string, held: Held | undefined): void {
    if (this.#before !== undefined && !this.#before.has(key)) this.#before.set(key, this.#held.get(key));
    if (held === undefined) this.#held.delete(key);
    else this.#held.set(key, held);
  }
}

const keyOf = ({ vault, collection, name }: StoredObject): string => `${vault}/${collection}/${name.toUpperCase()}`;
