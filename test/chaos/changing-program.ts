import { SeededRandom } from "../../emulator/seeded-random.js";
import { ecKey, type PrivateKey, rsaKey } from "../engine/demo-keys.js";

type Kind = "imported" | "generated" | "secret";
type OnDelete = "delete" | "purge" | "retain";

/** One key or secret: what the program says of it, and what the vault has to hold of it. */
export interface ChangingObject {
  readonly kind: Kind;
  /** Of the object in the vault: it never changes, whatever the program calls the resource. */
  readonly name: string;
  readonly onDelete: OnDelete;
  readonly isRsa: boolean;
  isDeclared: boolean;
  logical: string;
  isInGroup: boolean;
  /** A key of the set, and no resource of its own. */
  isInSet: boolean;
  /** An alias that leads from what the program before called it. */
  alias: string | undefined;
  /** Counts the sources: the n-th material, keepers or value. */
  source: number;
  material: PrivateKey | undefined;
  tags: Record<string, string>;
  expiresOn: string | undefined;
  isEnabled: boolean;
  /** Deleted where it was to be purged: what was taken over from a run that was cut off may be in another state, too. */
  isOnlyDeleted: boolean;
  /** All versions that the program has asked for since the object was last gone for good. */
  versions: number;
}

export interface ProgramSize {
  keys: number;
  secrets: number;
  /** Keys with a KeyBackup; the first secret always has a SecretBackup. */
  backups: number;
}

/** The key that keeps the set from being empty. */
const ANCHOR = "anchor";

/** A program that a seed makes and refactors, beside what a vault has to hold after it. */
export class ChangingProgram {
  readonly objects: ChangingObject[];
  /** Whatever must never show in state: of every material and value that was ever used. */
  readonly canaries: string[] = [];
  /** Files of the project by name, as far as the next program needs them. */
  readonly files = new Map<string, string>();
  readonly #random: SeededRandom;
  readonly #backups: number;
  #backupName = 0;
  #setName = 0;
  #setAlias: string | undefined;

  constructor(seed: string, { keys, secrets, backups }: ProgramSize) {
    this.#random = new SeededRandom(`program ${seed}`);
    this.#backups = backups;
    const kinds = [...times(keys, (index): Kind => (index % 2 === 0 ? "imported" : "generated"))];
    this.objects = [...kinds, ...times(secrets, (): Kind => "secret")].map((kind, index) => this.#create(kind, index));
    this.objects.push({ ...this.#create("generated", 0), name: ANCHOR, isRsa: false, isInSet: true });
  }

  /** Refactors the program. At least one object changes. @returns what was done, for the report. */
  refactor(): string[] {
    for (const object of this.objects) object.alias = undefined;
    this.#setAlias = undefined;
    const inSet = this.#inSet;
    const done = this.objects.flatMap((object) => (this.#chance(0.45) ? this.#change(object) : []));
    if (this.#chance(0.15)) {
      this.#backupName += 1;
      done.push("rename the backups");
    }
    if (this.#chance(0.2)) done.push(this.#renameSet(inSet, done));
    return done.length > 0 ? done : this.#change(this.#pick(this.objects));
  }

  get text(): string {
    const declared = this.objects.filter(({ isDeclared }) => isDeclared);
    const alone = declared.filter(({ isInSet }) => !isInSet);
    const lines = alone.map((object) => resourceText(object));
    const entries = this.#inSet.map((object) => `${JSON.stringify(object.name)}: ${entryText(object)}`);
    const setOptions = this.#setAlias === undefined ? "" : `, { aliases: [{ name: "${this.#setAlias}" }] }`;
    const backups = this.backedUp.map(
      ({ name, kind }) =>
        `backup(new keyvault.${kind === "secret" ? "SecretBackup" : "KeyBackup"}("backup-${name}-${this.#backupName}", { ${kind === "secret" ? "secret" : "key"}: made["${name}"] }), "${name}");`,
    );
    const named = (isSecret: boolean) =>
      `[${[
        ...alone.filter(({ kind }) => (kind === "secret") === isSecret).map(({ name }) => `made["${name}"]`),
        ...(isSecret ? [] : ["set"]),
      ].join(", ")}]`;
    return `
      class Group extends pulumi.ComponentResource {
        constructor(name) { super("test:index:Group", name, {}); }
      }
      const group = new Group("group");
      const made = {};
      exports.backups = {};
      const backup = ({ restorable }, name) => { exports.backups[name] = restorable; };
      ${lines.join("\n      ")}
      const set = new keyvault.KeySet("set-${this.#setName}", { removed: "delete", keys: { ${entries.join(", ")} } }${setOptions});
      ${backups.join("\n      ")}
      exports.all = new keyvault.VaultBackup("all-${this.#backupName}", { keys: ${named(false)}, secrets: ${named(true)} }).restorable;`;
  }

  get #inSet(): ChangingObject[] {
    return this.objects.filter(({ isDeclared, isInSet }) => isDeclared && isInSet);
  }

  /** Objects with a backup of their own. */
  get backedUp(): ChangingObject[] {
    const keys = this.objects.filter(({ kind }) => kind !== "secret").slice(0, this.#backups);
    const secrets = this.objects.filter(({ kind }) => kind === "secret").slice(0, 1);
    return [...keys, ...secrets].filter(({ isDeclared }) => isDeclared);
  }

  #create(kind: Kind, index: number): ChangingObject {
    const name = `${kind}-${index}`;
    const object: ChangingObject = {
      kind,
      name,
      // The first of each kind is there for good, so that a VaultBackup always has something to cover.
      onDelete: index < 2 || this.#chance(0.6) ? "delete" : this.#chance(0.6) ? "purge" : "retain",
      isRsa: index % 7 === 0,
      isDeclared: true,
      logical: name,
      isInGroup: false,
      isInSet: false,
      alias: undefined,
      source: 0,
      material: undefined,
      tags: { turn: "0" },
      expiresOn: undefined,
      isEnabled: true,
      isOnlyDeleted: false,
      versions: 0,
    };
    this.#renew(object);
    return object;
  }

  #change(object: ChangingObject): string[] {
    const what = `${object.name}: `;
    if (!object.isDeclared) return [`${what}${this.#addAgain(object)}`];
    const choice = this.#random.next();
    if (choice < 0.28) {
      this.#renew(object);
      return [`${what}new source`];
    }
    if (choice < 0.5) return [`${what}${this.#changeAttributes(object)}`];
    if (choice < 0.58 && this.#mayChangeSet(object)) {
      object.isInSet = !object.isInSet;
      return [`${what}${object.isInSet ? "into" : "out of"} the set`];
    }
    if (choice < 0.8 && object.isInSet) return [`${what}${this.#changeAttributes(object)}`];
    if (choice < 0.66) {
      const alias = `{ name: ${JSON.stringify(object.logical)} }`;
      object.logical = `${object.name}-${Math.floor(this.#random.next() * 1e9).toString(36)}`;
      return [`${what}rename ${this.#maybeAlias(object, alias)}`];
    }
    if (choice < 0.8) {
      const alias = object.isInGroup ? "{ parent: group }" : "{ parent: pulumi.rootStackResource }";
      object.isInGroup = !object.isInGroup;
      return [`${what}${object.isInGroup ? "into" : "out of"} the group ${this.#maybeAlias(object, alias)}`];
    }
    const isForGood = this.objects.indexOf(object) < 2 || object.name === ANCHOR;
    if (isForGood || object === this.objects.find(({ kind }) => kind === "secret")) {
      return [`${what}${this.#changeAttributes(object)}`];
    }
    object.isDeclared = false;
    return [`${what}remove (${object.onDelete})`];
  }

  /** What leaves the set is deleted: so only what would be deleted alone goes there. The last key stays there. */
  #mayChangeSet({ kind, name, onDelete }: ChangingObject): boolean {
    const isBackedUp = this.backedUp.some((object) => object.name === name);
    return kind !== "secret" && onDelete === "delete" && name !== ANCHOR && !isBackedUp;
  }

  /** Without an alias only where each key stays what it is: a new name takes over no key of another source. */
  #renameSet(before: ChangingObject[], done: readonly string[]): string {
    const isTouched = [...before, ...this.#inSet].some(({ name }) => done.some((what) => what.startsWith(`${name}:`)));
    if (isTouched || this.#chance(0.5)) this.#setAlias = `set-${this.#setName}`;
    this.#setName += 1;
    return `rename the set ${this.#setAlias === undefined ? "without an alias" : "with an alias"}`;
  }

  #addAgain(object: ChangingObject): string {
    object.isDeclared = true;
    if (object.onDelete === "purge" && !object.isOnlyDeleted) object.versions = 1;
    object.isOnlyDeleted = false;
    return `add again (${object.onDelete})${this.#chance(0.3) ? ` and ${this.#changeAttributes(object)}` : ""}`;
  }

  #maybeAlias(object: ChangingObject, alias: string): string {
    if (this.#chance(0.5)) return "without an alias";
    object.alias = alias;
    return "with an alias";
  }

  #changeAttributes(object: ChangingObject): string {
    const choice = this.#random.next();
    const moment = Math.floor(this.#random.next() * 1e6);
    if (choice < 0.5) {
      object.tags = { turn: String(moment), ...(choice < 0.25 ? { more: "x".repeat(moment % 50) } : {}) };
      return "other tags";
    }
    if (choice < 0.85 || object.kind === "secret") {
      object.expiresOn = new Date(Date.UTC(2090, 0, 1) + moment * 60_000).toISOString().replace(".000", "");
      return "another expiry";
    }
    object.isEnabled = !object.isEnabled;
    return object.isEnabled ? "enable" : "disable";
  }

  /** Another material, other keepers or another value: one version more. */
  #renew(object: ChangingObject): void {
    object.source += 1;
    object.versions += 1;
    if (object.kind === "imported") {
      object.material = object.isRsa ? rsaKey() : ecKey();
      this.canaries.push(...object.material.canaries);
      this.files.set(materialFile(object), object.material.pkcs8);
    }
    if (object.kind === "secret") this.canaries.push(secretValue(object));
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random.next() * items.length)];
    if (item === undefined) throw new Error("There is nothing to pick from");
    return item;
  }
}

export function secretValue({ name, source }: Pick<ChangingObject, "name" | "source">): string {
  return `the secret value of ${name}, turn ${source}, that must not show`;
}

function materialFile({ name, source }: ChangingObject): string {
  return `${name}.${source}.pem`;
}

function resourceText(object: ChangingObject): string {
  const { kind, name, logical, isInGroup, alias, tags, expiresOn, isEnabled, onDelete } = object;
  const args = { name, tags, onDelete, ...(expiresOn ? { expiresOn } : {}), ...(isEnabled ? {} : { enabled: false }) };
  const opts = [...(isInGroup ? ["parent: group"] : []), ...(alias ? [`aliases: [${alias}]`] : [])];
  const type = kind === "secret" ? "Secret" : "Key";
  return `made["${name}"] = new keyvault.${type}("${logical}", { ...${JSON.stringify(args)}, ${sourceText(object)} }, { ${opts.join(", ")} });`;
}

function entryText(object: ChangingObject): string {
  const { tags, expiresOn, isEnabled, onDelete } = object;
  const entry = { tags, onDelete, ...(expiresOn ? { expiresOn } : {}), ...(isEnabled ? {} : { enabled: false }) };
  return `{ ...${JSON.stringify(entry)}, ${sourceText(object)} }`;
}

function sourceText(object: ChangingObject): string {
  if (object.kind === "secret") return `value: ${JSON.stringify(secretValue(object))}`;
  if (object.kind === "imported") return `import: { file: "${materialFile(object)}" }`;
  const type = object.isRsa ? '"RSA"' : '"EC"';
  return `generate: { keyType: ${type}, keepers: { turn: "${object.source}" } }`;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
