import type { SeededRandom } from "../../emulator/seeded-random.js";
import { keyBackupLifecycle } from "../../provider/backup/key-backup.js";
import { secretBackupLifecycle } from "../../provider/backup/secret-backup.js";
import { type DynamicProvider, dynamicProvider, type Properties } from "../../provider/engine/lifecycle.js";
import { canonicalJson } from "../../provider/engine/normal-form.js";
import { keyLifecycle } from "../../provider/key/key-lifecycle.js";
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
  Secret: dynamicProvider(async () => secretLifecycle),
  KeyBackup: dynamicProvider(async () => keyBackupLifecycle),
  SecretBackup: dynamicProvider(async () => secretBackupLifecycle),
  VaultBackup: dynamicProvider(async () => vaultBackupLifecycle),
};

/** Dependants are deleted before what they depend on. */
const DELETION_ORDER: readonly ResourceType[][] = [["VaultBackup"], ["KeyBackup", "SecretBackup"], ["Key", "Secret"]];

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
    const { id, props, inputs } = await PROVIDERS[entry.type].read(entry.id, entry.outs);
    if (id) this.#promises.holdState(props);
    else if (entry.place !== undefined) this.#promises.holdGone(entry.place);
    await this.#write(run, () => {
      if (!id) this.entries = this.entries.filter((other) => other !== entry);
      else this.#put(entry, { ...entry, outs: plain(props), inputs: plain(inputs ?? {}), isIncomplete: false });
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
    await Promise.all(this.#shuffled([...program.resources.values()]).map(bring));
    if (run.failures.length > 0) return;
    await this.#deleteAll(run, ({ logical, isReplaced }) => isReplaced || !program.resources.has(logical));
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
    await PROVIDERS[entry.type].delete(entry.id, entry.outs);
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
    if (place !== undefined) run.process.knowledge.declared.set(placeKey(place), declared);
    const inputs = await this.#checked(declared, old?.inputs ?? {});
    if (old === undefined) return () => this.#create(run, declared, inputs);
    const named = old.logical === logical ? old : this.#put(old, { ...old, logical });
    const diff = await provider.diff(old.id, old.outs, inputs);
    if (diff.replaces.length > 0 || run.program.replaced.has(logical)) {
      // The engine checks what it replaces again, without what it knows of it.
      const fresh = await this.#checked(declared, {});
      return () => this.#replace(run, declared, named, fresh, diff.deleteBeforeReplace);
    }
    const isChanged = diff.changes === true || named.isIncomplete || canonical(inputs) !== canonical(named.inputs);
    return isChanged ? () => this.#update(run, declared, named, inputs) : async () => {};
  }

  async #checked(declared: Declared, olds: Properties): Promise<Properties> {
    const { inputs, failures } = await PROVIDERS[declared.type].check(olds, this.#arguments(declared));
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
    { logical, type, place }: Declared,
    old: Entry | undefined,
    inputs: Properties,
    work: () => Promise<{ id: string; outs: Properties }>,
    before: () => void = () => {},
  ): Promise<void> {
    const record = (id: string, outs: Properties, isIncomplete: boolean): Promise<void> => {
      this.#promises.holdState(outs);
      // What failed in part over a write that may have happened records the object as it was seen last.
      const isUnsure = isIncomplete && place !== undefined && run.process.knowledge.unsettled.has(placeKey(place));
      if (place !== undefined && !isUnsure) this.#promises.holdRecorded(place, plain(outs));
      const entry: Entry = { logical, type, place, id, inputs, outs: plain(outs), isIncomplete, isReplaced: false };
      if (place !== undefined) run.process.knowledge.known.add(placeKey(place));
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
      if (!(error instanceof Stopped)) run.failures.push(this.#failure(logical, error));
      return false;
    }
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
  #arguments(declared: Declared): Properties {
    const { logical, type, place, source, tag, expiresOn, rotateAfterDays, onDelete, of } = declared;
    const shared = identity(logical, type);
    const outsOf = (name: string | undefined): Properties =>
      this.entries.find((entry) => entry.logical === name && !entry.isReplaced)?.outs ?? {};
    if (type === "VaultBackup") {
      const changes = (wanted: ResourceType) =>
        this.entries
          .filter((entry) => entry.type === wanted && entry.place?.vault === "here" && !entry.isReplaced)
          .map(({ outs: { name, version, updatedOn, vaultUrl, rotationPolicy } }) => ({
            ...{ name, version, updatedOn, vaultUrl },
            ...(rotationPolicy ? { rotationPolicy } : {}),
          }));
      const selected = { keys: ["*", ...changes("Key")], secrets: ["*", ...changes("Secret")] };
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
