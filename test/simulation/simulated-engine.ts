import type { SeededRandom } from "../../emulator/seeded-random.js";
import { keyBackupLifecycle } from "../../provider/backup/key-backup.js";
import { secretBackupLifecycle } from "../../provider/backup/secret-backup.js";
import {
  type DynamicProvider,
  dynamicProvider,
  isRecordedError,
  type Properties,
} from "../../provider/engine/lifecycle.js";
import { canonicalJson } from "../../provider/engine/normal-form.js";
import { keyLifecycle } from "../../provider/key/key-lifecycle.js";
import { keySetLifecycle } from "../../provider/key-set/key-set-lifecycle.js";
import { keyOutputsOf } from "../../provider/key-set/key-set-outputs.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { secretLifecycle } from "../../provider/secret/secret-lifecycle.js";
import { vaultBackupLifecycle } from "../../provider/vault-backup/vault-backup-lifecycle.js";
import type { Declared, DeclaredProgram, ResourceType } from "./declared-program.js";
import { CANARY, pooledKey } from "./key-pool.js";
import type { Promises } from "./promises.js";
import { never, type SimulatedProcess } from "./simulated-process.js";
import { type Place, placeKey, urlOf } from "./simulated-vault.js";

/** A resource as the engine keeps it in state. */
export interface Entry {
  logical: string;
  type: ResourceType;
  place: Place | undefined;
  id: string;
  inputs: Properties;
  outs: Properties;
  /** A step of it failed: the next update has to go on. */
  isIncomplete: boolean;
  /** Another one has taken its place, and it is to be deleted. */
  isReplaced: boolean;
}

/** An object as state has it, in a resource of its own or in a set. */
export interface RecordedObject {
  place: Place;
  outs: Properties;
}

/** The objects that a resource has in state. */
export function objectsOf({ type, place, outs }: Pick<Entry, "type" | "place" | "outs">): RecordedObject[] {
  if (place !== undefined) return [{ place, outs }];
  if (type !== "KeySet") return [];
  return [...unpackRecords(outs.records)].map(([name, record]) => ({
    place: { vault: "here", collection: "keys", name },
    outs: keyOutputsOf(outs, name, record),
  }));
}

export interface Failure {
  logical: string;
  code: string;
  message: string;
}

/** One run of the engine, in one process. */
export interface EngineRun {
  process: SimulatedProcess;
  program: DeclaredProgram;
  continuesOnError: boolean;
  killedAtWrite: number | undefined;
  failures: Failure[];
}

const PROVIDERS: Record<ResourceType, DynamicProvider> = {
  Key: dynamicProvider(async () => keyLifecycle),
  KeySet: dynamicProvider(async () => keySetLifecycle),
  Secret: dynamicProvider(async () => secretLifecycle),
  KeyBackup: dynamicProvider(async () => keyBackupLifecycle),
  SecretBackup: dynamicProvider(async () => secretBackupLifecycle),
  VaultBackup: dynamicProvider(async () => vaultBackupLifecycle),
};

/** Dependants are deleted before what they depend on. */
const DELETION_ORDER: readonly ResourceType[][] = [
  ["VaultBackup"],
  ["KeyBackup", "SecretBackup"],
  ["Key", "KeySet", "Secret"],
];

/** What Pulumi's engine does with a program, its state and a provider, as far as a provider can tell. */
export class SimulatedEngine {
  entries: Entry[] = [];
  readonly #promises: Promises;
  readonly #random: SeededRandom;
  #writes = 0;
  #lock: Promise<void> = Promise.resolve();

  constructor(promises: Promises, random: SeededRandom) {
    this.#promises = promises;
    this.#random = random;
  }

  begin(): void {
    this.#writes = 0;
    this.#lock = Promise.resolve();
  }

  async refresh(run: EngineRun): Promise<void> {
    await Promise.all(
      this.entries
        .filter(({ isReplaced }) => !isReplaced)
        .map((entry) => this.#attempt(run, entry.logical, () => this.#read(run, entry))),
    );
  }

  async #read(run: EngineRun, entry: Entry): Promise<void> {
    const { id, props, inputs, isIncomplete } = await readOf(entry);
    if (id) this.#holdState(entry.type, props);
    const left = id ? objectsOf({ ...entry, outs: plain(props) }).map(({ place }) => placeKey(place)) : [];
    for (const { place } of objectsOf(entry)) if (!left.includes(placeKey(place))) this.#promises.holdGone(place);
    await this.#write(run, () => {
      if (!id) this.entries = this.entries.filter((other) => other !== entry);
      else this.#put(entry, { ...entry, outs: plain(props), inputs: plain(inputs ?? {}), isIncomplete });
    });
  }

  async up(run: EngineRun): Promise<void> {
    const { program } = run;
    const results = new Map<string, Promise<boolean>>();
    const bring = (declared: Declared): Promise<boolean> => {
      const known = results.get(declared.logical);
      if (known !== undefined) return known;
      const needed = program.dependenciesOf(declared).flatMap((logical) => program.resources.get(logical) ?? []);
      const brought = Promise.all(needed.map(bring)).then((all) => all.every(Boolean) && this.#bring(run, declared));
      results.set(declared.logical, brought);
      return brought;
    };
    const resources = [...program.resources.values()].filter(({ set }) => set === undefined);
    await Promise.all(this.#shuffled(resources).map(bring));
    if (run.failures.length > 0) return;
    await this.#deleteAll(run, ({ logical, isReplaced }) => isReplaced || !program.hasResource(logical));
  }

  /** The program is not asked, so it declares nothing. */
  async destroy(run: EngineRun): Promise<void> {
    await this.#deleteAll(run, () => true);
  }

  async #deleteAll(run: EngineRun, isToGo: (entry: Entry) => boolean): Promise<void> {
    for (const types of DELETION_ORDER) {
      const going = this.entries.filter((entry) => types.includes(entry.type) && isToGo(entry));
      await Promise.all(
        this.#shuffled(going).map((entry) => this.#attempt(run, entry.logical, () => this.#delete(run, entry))),
      );
      if (run.failures.length > 0) return;
    }
  }

  async #delete(run: EngineRun, entry: Entry): Promise<void> {
    try {
      await PROVIDERS[entry.type].delete(entry.id, entry.outs);
    } catch (error) {
      // A set that is deleted in part stands in state as a whole, and its failure says so.
      if (entry.type === "KeySet")
        for (const { place } of objectsOf(entry)) this.#promises.doubtful.add(placeKey(place));
      throw error;
    }
    await this.#write(run, () => {
      this.entries = this.entries.filter((other) => other !== entry);
    });
  }

  async #bring(run: EngineRun, declared: Declared): Promise<boolean> {
    return this.#attempt(run, declared.logical, async () => {
      if (run.failures.length > 0 && !run.continuesOnError) throw new Stopped();
      // Checks and diffs are made one after the other, the steps that follow beside each other.
      const step = await this.#alone(() => this.#plan(run, declared));
      await step();
    });
  }

  async #plan(run: EngineRun, declared: Declared): Promise<() => Promise<void>> {
    const { logical, type, place } = declared;
    const provider = PROVIDERS[type];
    const old = this.#find(declared);
    for (const object of place === undefined ? run.program.membersOf(declared) : [declared]) {
      if (object.place) run.process.knowledge.declared.set(placeKey(object.place), object);
    }
    const inputs = await this.#checked(run, declared, old?.inputs ?? {});
    if (old === undefined) return () => this.#create(run, declared, inputs);
    const named = old.logical === logical ? old : this.#put(old, { ...old, logical });
    const diff = await provider.diff(old.id, old.outs, inputs);
    if (diff.replaces.length > 0 || run.program.replaced.has(logical)) {
      // The engine checks what it replaces again, without what it knows of it.
      const fresh = await this.#checked(run, declared, {});
      return () => this.#replace(run, declared, named, fresh, diff.deleteBeforeReplace);
    }
    const isChanged = diff.changes === true || named.isIncomplete || canonical(inputs) !== canonical(named.inputs);
    return isChanged ? () => this.#update(run, declared, named, inputs) : async () => {};
  }

  async #checked({ program }: EngineRun, declared: Declared, olds: Properties): Promise<Properties> {
    const { inputs, failures } = await PROVIDERS[declared.type].check(olds, this.#arguments(declared, program));
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    return plain(inputs);
  }

  #create(run: EngineRun, declared: Declared, inputs: Properties): Promise<void> {
    return this.#recording(run, declared, undefined, inputs, () => PROVIDERS[declared.type].create(inputs));
  }

  #update(run: EngineRun, declared: Declared, old: Entry, inputs: Properties): Promise<void> {
    return this.#recording(run, declared, old, inputs, async () => ({
      id: old.id,
      ...(await PROVIDERS[declared.type].update(old.id, old.outs, inputs)),
    }));
  }

  async #replace(
    run: EngineRun,
    declared: Declared,
    old: Entry,
    inputs: Properties,
    isDeletedBefore: boolean,
  ): Promise<void> {
    if (isDeletedBefore) await this.#delete(run, old);
    await this.#recording(
      run,
      declared,
      undefined,
      inputs,
      () => PROVIDERS[declared.type].create(inputs),
      () => {
        if (!isDeletedBefore) this.#put(old, { ...old, isReplaced: true });
      },
    );
  }

  async #recording(
    run: EngineRun,
    declared: Declared,
    old: Entry | undefined,
    inputs: Properties,
    work: () => Promise<{ id: string; outs: Properties }>,
    before: () => void = () => {},
  ): Promise<void> {
    const { logical, type, place } = declared;
    const members = run.program.membersOf(declared).map((member) => member.place && placeKey(member.place));
    const record = (id: string, outs: Properties, isIncomplete: boolean): Promise<void> => {
      this.#holdState(type, outs);
      const entry: Entry = { logical, type, place, id, inputs, outs: plain(outs), isIncomplete, isReplaced: false };
      const others = this.entries.filter((other) => other !== old).flatMap(objectsOf);
      for (const object of objectsOf(entry)) {
        const key = placeKey(object.place);
        // What failed in part over a write that may have happened records the object as it was seen last.
        const isUnsure = isIncomplete && run.process.knowledge.unsettled.has(key);
        // Of what is to leave a set, some of it may be done: it is recorded until all is, as a resource that is deleted.
        const isLeaving = isIncomplete && type === "KeySet" && !members.includes(key);
        const marks = others
          .filter(({ place: other }) => placeKey(other) === key)
          .map(({ outs: { ownerToken } }) => ownerToken);
        if (!isUnsure && !isLeaving) this.#promises.holdRecorded(object.place, object.outs, marks);
        run.process.knowledge.known.add(key);
      }
      return this.#write(run, () => {
        before();
        if (old === undefined) this.entries.push(entry);
        else this.#put(old, entry);
      });
    };
    try {
      const { id, outs } = await work();
      await record(id, outs, false);
    } catch (error) {
      if (error instanceof Error && "properties" in error) {
        await record(old?.id ?? String(Object(error).id), Object(error.properties), true);
      }
      throw error;
    }
  }

  /** The records of a set stand in it compressed. */
  #holdState(type: ResourceType, outs: Properties): void {
    this.#promises.holdState(outs);
    if (type !== "KeySet") return;
    for (const object of objectsOf({ type, place: undefined, outs: plain(outs) }))
      this.#promises.holdState(object.outs);
  }

  #find({ logical, aliases }: Declared): Entry | undefined {
    const called = (name: string): Entry | undefined =>
      this.entries.find((entry) => entry.logical === name && !entry.isReplaced);
    return called(logical) ?? aliases.map(called).find((entry) => entry !== undefined);
  }

  #put(old: Entry, entry: Entry): Entry {
    this.entries = this.entries.map((other) => (other === old ? entry : other));
    return entry;
  }

  async #write(run: EngineRun, change: () => void): Promise<void> {
    if (run.process.isDead) return never();
    if (this.#writes++ === run.killedAtWrite) {
      this.#promises.note("killed before the state was written");
      return run.process.kill();
    }
    change();
  }

  async #attempt(run: EngineRun, logical: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Stopped)) run.failures.push(...this.#failuresOf(run, logical, error));
      return false;
    }
  }

  /** A set tells of each of its keys. */
  #failuresOf({ program }: EngineRun, logical: string, error: unknown): Failure[] {
    const failure = this.#failure(logical, error);
    const ofKeys = [...failure.message.matchAll(/^ {2}key "([^"]+)": (KV_[A-Z_]+): (.*)$/gm)];
    if (ofKeys.length === 0) return [failure];
    return ofKeys.map(([, name, code = "", message = ""]) => {
      const member = [...program.resources.values()].find(({ set, place }) => set === logical && place?.name === name);
      return { logical: member?.logical ?? `${logical}/${name}`, code, message };
    });
  }

  #failure(logical: string, error: unknown): Failure {
    if (this.#promises.broken) throw this.#promises.broken;
    const message = error instanceof Error ? error.message : String(error);
    this.#promises.holdMessage(message);
    const code = /\bKV_[A-Z_]+/.exec(message)?.[0];
    if (code === undefined) this.#promises.break(`a failure without a code: ${message}`);
    this.#promises.note(`${logical}: ${message.slice(0, 200)}`);
    return { logical, code, message };
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#lock;
    let free: () => void = () => {};
    this.#lock = new Promise((resolve) => {
      free = resolve;
    });
    await before;
    try {
      return await work();
    } finally {
      free();
    }
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, order: this.#random.next() }))
      .sort((left, right) => left.order - right.order)
      .map(({ item }) => item);
  }

  /** What the SDK hands to the engine. */
  #arguments(declared: Declared, program: DeclaredProgram): Properties {
    const { logical, type, place, source, tag, expiresOn, rotateAfterDays, onDelete, of, removed } = declared;
    const shared = identity(logical, type);
    const outsOf = (name: string | undefined): Properties =>
      this.entries.find((entry) => entry.logical === name && !entry.isReplaced)?.outs ?? {};
    if (type === "KeySet") {
      const entries = program.membersOf(declared).map((member) => {
        const {
          claimant: _claimant,
          owner: _owner,
          vaultUrl: _vault,
          name,
          ...entry
        } = this.#arguments(member, program);
        return [name, entry];
      });
      const leaving = removed === "retain" ? {} : { removed };
      return { ...shared, vaultUrl: urlOf("here"), ...leaving, entries: Object.fromEntries(entries) };
    }
    if (type === "VaultBackup") {
      // A program has its own resources alone, and not what is yet to be deleted of one before.
      const declaredOf = (wanted: ResourceType) =>
        this.entries.filter(
          (entry) => entry.type === wanted && !entry.isReplaced && program.hasResource(entry.logical),
        );
      const changes = (wanted: ResourceType) =>
        declaredOf(wanted)
          .filter(({ place }) => place?.vault === "here")
          .map(changeOf);
      const ofSets = declaredOf("KeySet").flatMap(objectsOf).map(changeOf);
      const selected = { keys: ["*", ...changes("Key"), ...ofSets], secrets: ["*", ...changes("Secret")] };
      return { ...shared, vaultUrl: urlOf("here"), allowEmpty: true, ...selected };
    }
    if (place === undefined) {
      const { vaultUrl, name, version, updatedOn, rotationPolicy } = outsOf(of);
      return { ...shared, vaultUrl, name, version, updatedOn, ...(rotationPolicy ? { rotationPolicy } : {}) };
    }
    const common = {
      ...shared,
      vaultUrl: urlOf(place.vault),
      name: place.name,
      tags: { tag: String(tag) },
      ...(expiresOn === undefined ? {} : { expiresOn: new Date(momentOf(expiresOn)).toISOString() }),
      ...(rotateAfterDays === undefined ? {} : { rotationPolicy: { rotateAfter: `P${rotateAfterDays}D` } }),
      ...(onDelete === "delete" ? {} : { onDelete }),
    };
    if (source?.kind === "adopt") return { ...common, adopt: true };
    if (source?.kind === "saved") {
      const { blob, name, version } = source.backup;
      return { ...common, restoreFrom: { blob, sourceName: name, version } };
    }
    if (source?.kind === "copy") {
      const { blob, name, covered } = outsOf(source.backup);
      return { ...common, restoreFrom: { blob, sourceName: name, version: Object(covered).version } };
    }
    if (source?.kind === "generate") {
      return { ...common, generate: { keyType: "EC", keepers: { content: String(source.content) } } };
    }
    if (type === "Secret") return { ...common, value: `${CANARY} ${source?.content}` };
    return { ...common, import: { jwk: pooledKey(importedIndex(source?.content ?? 0)) } };
  }
}

/** What tells a change of a managed object, as the SDK hands it to a VaultBackup. */
function changeOf({ outs: { name, version, updatedOn, vaultUrl, rotationPolicy } }: { outs: Properties }): Properties {
  return { name, version, updatedOn, vaultUrl, ...(rotationPolicy ? { rotationPolicy } : {}) };
}

/** As the SDK tells it beside the arguments. */
function identity(name: string, type: ResourceType): Properties {
  const [project, stack] = ["shop", "prod"];
  const urn = `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/keyvault:${type}::${name}`;
  return { claimant: urn, owner: { project, stack, urn } };
}

/** Imported keys are the even ones of the pool, and generated ones the odd ones. */
export function importedIndex(content: number): number {
  return content * 2;
}

export function momentOf(expiresOn: number): number {
  return Date.UTC(2031, 0, 1 + expiresOn);
}

/** The run has failed elsewhere, and this resource is not begun. */
class Stopped extends Error {}

export function canonical({ __provider: _provider, ...inputs }: Properties): string {
  return canonicalJson(inputs);
}

/** As the engine hands it back: what JSON can hold, with its secrets in plain text. */
/** The engine records what a read that failed in part has found, and the refresh goes on. */
async function readOf({ type, id, outs }: Entry) {
  try {
    return { ...(await PROVIDERS[type].read(id, outs)), isIncomplete: false };
  } catch (error) {
    if (!isRecordedError(error)) throw error;
    return { id: error.id, props: error.properties, inputs: error.inputs, isIncomplete: true };
  }
}

function plain(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => (value === undefined ? [] : [[name, plainValue(value)]])),
  );
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => plainValue(item ?? null));
  if (value === null || typeof value !== "object") return value;
  if ("4dabf18193072939515e22adb298388d" in value && "value" in value) return plainValue(value.value);
  return plain({ ...value });
}
