import type { Edit } from "./history.js";
import { type Collection, PLACES, type Place, placeKey, type VaultName } from "./simulated-vault.js";

export type ResourceType = "Key" | "KeySet" | "Secret" | "KeyBackup" | "SecretBackup" | "VaultBackup";

/** What a key or secret is made of. */
export type Source =
  /** `import` of a key, `value` of a secret. */
  | { kind: "given" | "generate"; content: number }
  | { kind: "adopt" }
  /** From a backup resource of the same program, into the other vault. */
  | { kind: "copy"; backup: string }
  /** From a blob that was kept somewhere, under the name that it had. */
  | { kind: "saved"; backup: SavedBackup };

export interface SavedBackup {
  blob: string;
  collection: Collection;
  name: string;
  version: string;
}

/** One resource as the program declares it. */
export interface Declared {
  logical: string;
  type: ResourceType;
  /** What it was called before, as its `aliases` say. */
  aliases: string[];
  /** Of a Key or Secret. */
  place: Place | undefined;
  source: Source | undefined;
  tag: number;
  expiresOn: number | undefined;
  /** Of a generated key: after how many days it is rotated. */
  rotateAfterDays: number | undefined;
  onDelete: "delete" | "purge" | "disable" | "retain";
  /** Of a backup: what it is taken of. */
  of: string | undefined;
  /** Of a key that is one of a set: the set, which is the resource. */
  set: string | undefined;
  /** Of a key that was one of a set: state may still have the Key that stood alone before that. */
  wasInSet?: true;
  /** Of a set: what becomes of a key that leaves it. */
  removed: Declared["onDelete"] | undefined;
}

/** A program that is edited between its runs. Contents and tags only ever go forward, so that each change is told by what it makes. */
export class DeclaredProgram {
  readonly resources = new Map<string, Declared>();
  /** What the next run is told to replace. */
  readonly replaced = new Set<string>();
  readonly saved: SavedBackup[] = [];
  /** Places where a version of the same source may be asked for once more. */
  readonly renewed: string[] = [];
  #serial = 0;

  /** @returns whether there was anything to edit. */
  apply(edit: Edit): boolean {
    switch (edit.edit) {
      case "add key":
        return this.#addKey(edit.pick, { kind: "given", content: ++this.#serial }, edit.onDelete);
      case "add generated":
        return this.#addKey(edit.pick, { kind: "generate", content: ++this.#serial }, edit.onDelete);
      case "add secret":
        return this.#addObject("secrets", edit.pick, { kind: "given", content: ++this.#serial }, edit.onDelete);
      case "adopt":
        return this.#addObject(
          edit.pick % 2 === 0 ? "keys" : "secrets",
          edit.pick >> 1,
          { kind: "adopt" },
          edit.onDelete,
        );
      case "back up":
        return this.#addBackup(edit.pick);
      case "back up vault":
        return this.#addVaultBackup();
      case "copy":
        return this.#addCopy(edit.pick, edit.onDelete);
      case "restore saved":
        return this.#addSaved(edit.pick, edit.onDelete);
      case "content":
        return this.#change(edit.pick, ({ source }) => {
          if (source?.kind === "given" || source?.kind === "generate") source.content = ++this.#serial;
        });
      case "tag":
        return this.#change(edit.pick, (declared) => {
          declared.tag = ++this.#serial;
        });
      case "expiry":
        return this.#change(edit.pick, (declared) => {
          if (declared.source?.kind !== "given" || declared.place === undefined) return;
          if (declared.expiresOn === undefined) declared.expiresOn = ++this.#serial;
          else {
            declared.expiresOn = undefined;
            this.renewed.push(placeKey(declared.place));
          }
        });
      case "policy":
        return this.#change(edit.pick, (declared) => {
          if (declared.source?.kind !== "generate") return;
          declared.rotateAfterDays =
            declared.rotateAfterDays === undefined || edit.pick % 2 ? ++this.#serial + 30 : undefined;
        });
      case "drop":
        return this.#drop(pick([...this.resources.values()], edit.pick));
      case "rename":
        return this.#rename(edit.pick, false);
      case "alias":
        return this.#rename(edit.pick, true);
      case "move":
        return this.#change(edit.pick, (declared) => {
          if (declared.place === undefined || !this.#isMovable(declared)) return;
          const free = pick(this.#free("here", declared.place.collection), edit.pick);
          if (free === undefined) return;
          declared.place = free;
          // It may come back to where it was, where another source has been meanwhile.
          this.renewed.push(placeKey(free));
        });
      case "swap":
        return this.#swap(edit.pick);
      case "replace":
        return this.#change(edit.pick, ({ logical, set }) => {
          this.replaced.add(set ?? logical);
        });
      case "into set":
        return this.#intoSet(edit.pick);
      case "out of set":
        return this.#outOfSet(edit.pick);
    }
  }

  /** A generated key that is replaced is to be another one. */
  renewedByReplacement(): string[] {
    return this.#objects().flatMap((declared) =>
      declared.source?.kind === "generate" && this.isReplaced(declared) && declared.place
        ? [placeKey(declared.place)]
        : [],
    );
  }

  /** Whether it is to be replaced, or the set that it is one of. */
  isReplaced({ logical, set }: Declared): boolean {
    return this.replaced.has(set ?? logical);
  }

  /** Whether there is a resource of that name: a key of a set is none. */
  hasResource(logical: string): boolean {
    const declared = this.resources.get(logical);
    return declared !== undefined && declared.set === undefined;
  }

  membersOf({ logical }: Declared): Declared[] {
    return [...this.resources.values()].filter(({ set }) => set === logical);
  }

  declaredAt(place: Place): Declared | undefined {
    const key = placeKey(place);
    return [...this.resources.values()].find((declared) => declared.place && placeKey(declared.place) === key);
  }

  /** What has to be there before. */
  dependenciesOf({ source, of, type }: Declared): string[] {
    if (type === "VaultBackup") return [...new Set(this.#objects().map(({ logical, set }) => set ?? logical))];
    const backup = source?.kind === "copy" ? [source.backup] : [];
    return [...(of === undefined ? [] : [of]), ...backup];
  }

  #objects(): Declared[] {
    return [...this.resources.values()].filter(({ place }) => place !== undefined);
  }

  #free(vault: VaultName, collection: Collection): Place[] {
    return PLACES.filter(
      (place) => place.vault === vault && place.collection === collection && this.declaredAt(place) === undefined,
    );
  }

  #addObject(collection: Collection, which: number, source: Source, onDelete: Declared["onDelete"]): boolean {
    const place = pick(this.#free("here", collection), which);
    return place !== undefined && this.#add(collection === "keys" ? "Key" : "Secret", { place, source, onDelete });
  }

  #addKey(which: number, source: Source, onDelete: Declared["onDelete"]): boolean {
    if (!this.#addObject("keys", which, source, onDelete)) return false;
    const added = [...this.resources.values()].at(-1);
    const set = pick(this.#sets(), which);
    if (which % 3 === 2 && set !== undefined && added !== undefined) added.set = set.logical;
    return true;
  }

  #sets(): Declared[] {
    return [...this.resources.values()].filter(({ type }) => type === "KeySet");
  }

  /** A key that stood alone, or in another set: its resource is the set from now on. */
  #intoSet(which: number): boolean {
    const backedUp = new Set([...this.resources.values()].map(({ of }) => of));
    const key = pick(
      this.#objects().filter(({ logical, place, source }) => {
        const isMade = source?.kind === "given" || source?.kind === "generate";
        return place?.collection === "keys" && place.vault === "here" && isMade && !backedUp.has(logical);
      }),
      which,
    );
    if (key === undefined) return false;
    const sets = this.#sets();
    const former = key.set;
    if (sets.length < (which % 4 === 3 ? 2 : 1)) {
      const removed = pick<Declared["onDelete"]>(["delete", "retain", "purge", "delete", "disable"], which);
      this.#add("KeySet", { removed });
      key.set = this.#sets().at(-1)?.logical;
    } else key.set = pick(sets, which)?.logical;
    this.#dropEmptySet(former);
    return key.set !== former;
  }

  #outOfSet(which: number): boolean {
    const key = pick(
      this.#objects().filter(({ set }) => set !== undefined),
      which,
    );
    if (key === undefined) return false;
    const former = key.set;
    key.set = undefined;
    key.wasInSet = true;
    this.#dropEmptySet(former);
    return true;
  }

  /** A set of no keys is refused. */
  #dropEmptySet(set: string | undefined): void {
    const isEmpty = [...this.resources.values()].every((other) => other.set !== set);
    if (set !== undefined && isEmpty) this.resources.delete(set);
  }

  #addBackup(which: number): boolean {
    const taken = new Set([...this.resources.values()].map(({ of }) => of));
    const object = pick(
      this.#objects().filter(
        ({ logical, place, set }) => place?.vault === "here" && set === undefined && !taken.has(logical),
      ),
      which,
    );
    if (object === undefined) return false;
    return this.#add(object.type === "Key" ? "KeyBackup" : "SecretBackup", { of: object.logical });
  }

  #addVaultBackup(): boolean {
    if ([...this.resources.values()].some(({ type }) => type === "VaultBackup")) return false;
    return this.#add("VaultBackup", {});
  }

  #addCopy(which: number, onDelete: Declared["onDelete"]): boolean {
    const backups = [...this.resources.values()].filter(({ of }) => {
      const place = of === undefined ? undefined : this.resources.get(of)?.place;
      return place !== undefined && this.declaredAt({ ...place, vault: "there" }) === undefined;
    });
    const backup = pick(backups, which);
    const place = backup?.of === undefined ? undefined : this.resources.get(backup.of)?.place;
    if (backup === undefined || place === undefined) return false;
    return this.#add(place.collection === "keys" ? "Key" : "Secret", {
      place: { ...place, vault: "there" },
      source: { kind: "copy", backup: backup.logical },
      onDelete,
    });
  }

  #addSaved(which: number, onDelete: Declared["onDelete"]): boolean {
    const backup = pick(this.saved, which);
    if (backup === undefined) return false;
    const place: Place = { vault: "here", collection: backup.collection, name: backup.name };
    if (this.declaredAt(place) !== undefined) return false;
    const type = backup.collection === "keys" ? "Key" : "Secret";
    return this.#add(type, { place, source: { kind: "saved", backup }, onDelete });
  }

  #add(type: ResourceType, more: Partial<Declared>): boolean {
    const logical = `${type.toLowerCase()}-${++this.#serial}`;
    this.resources.set(logical, {
      logical,
      type,
      aliases: [],
      place: undefined,
      source: undefined,
      tag: this.#serial,
      expiresOn: undefined,
      rotateAfterDays: undefined,
      onDelete: "delete",
      of: undefined,
      set: undefined,
      removed: undefined,
      ...more,
    });
    return true;
  }

  #change(which: number, change: (declared: Declared) => void): boolean {
    const declared = pick(this.#objects(), which);
    if (declared !== undefined) change(declared);
    return declared !== undefined;
  }

  #drop(declared: Declared | undefined): boolean {
    if (declared === undefined) return false;
    this.resources.delete(declared.logical);
    for (const other of [...this.resources.values()]) {
      const isBackupOf = other.of === declared.logical;
      const isCopyOf = other.source?.kind === "copy" && other.source.backup === declared.logical;
      if (isBackupOf || isCopyOf || other.set === declared.logical) this.#drop(other);
    }
    this.#dropEmptySet(declared.set);
    return true;
  }

  #rename(which: number, hasAlias: boolean): boolean {
    const picked = pick([...this.resources.values()], which);
    const declared = picked?.set === undefined ? picked : this.resources.get(picked.set);
    if (declared === undefined) return false;
    const former = declared.logical;
    declared.logical = `${declared.type.toLowerCase()}-${++this.#serial}`;
    declared.aliases = hasAlias ? [...declared.aliases, former] : [];
    this.resources.delete(former);
    this.resources.set(declared.logical, declared);
    for (const other of this.resources.values()) {
      if (other.of === former) other.of = declared.logical;
      if (other.set === former) other.set = declared.logical;
      if (other.source?.kind === "copy" && other.source.backup === former) other.source.backup = declared.logical;
    }
    return true;
  }

  /** A restored object keeps the name of its backup, and with it what the backup is of. */
  #isMovable({ logical, place, source }: Declared): boolean {
    if (place?.vault !== "here" || source?.kind === "saved") return false;
    const others = [...this.resources.values()];
    const backups = others.filter(({ of }) => of === logical).map((backup) => backup.logical);
    return !others.some((other) => other.source?.kind === "copy" && backups.includes(other.source.backup));
  }

  #swap(which: number): boolean {
    const movable = this.#objects().filter((declared) => this.#isMovable(declared));
    const one = pick(movable, which);
    const others = movable.filter(({ logical, type }) => logical !== one?.logical && type === one?.type);
    const other = pick(others, which);
    if (one === undefined || other === undefined) return false;
    [one.place, other.place] = [other.place, one.place];
    for (const { place } of [one, other]) if (place) this.renewed.push(placeKey(place));
    return true;
  }
}

function pick<T>(items: readonly T[], which: number): T | undefined {
  return items[which % Math.max(items.length, 1)];
}
