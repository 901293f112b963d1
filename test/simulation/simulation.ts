import { SeededRandom } from "../../emulator/seeded-random.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { forgetPendingMaterial } from "../../provider/object/pending-material.js";
import { type Declared, DeclaredProgram } from "./declared-program.js";
import type { Foreign, ForeignAct, History, Run, Step } from "./history.js";
import { CANARY, pooledKey } from "./key-pool.js";
import { ANOTHERS_MARK, isAnothers, isOwn, Promises, sourceText, versionOf, withoutMark } from "./promises.js";
import {
  canonical,
  type EngineRun,
  type Entry,
  type Failure,
  importedIndex,
  momentOf,
  objectsOf,
  SimulatedEngine,
} from "./simulated-engine.js";
import { SimulatedProcess, type World } from "./simulated-process.js";
import { isThere, PLACES, type Place, placeKey, SimulatedVault, type Truth } from "./simulated-vault.js";
import { VirtualClock } from "./virtual-clock.js";

/** Between two runs lies more than the longest lateness of a write: what was sent has happened, or never will. */
const BETWEEN_RUNS_MS = 60_000;
const NO_TROUBLE = { edits: [], troubles: [], killedAtWrite: undefined, isStateLost: false, continuesOnError: true };

/** A program, its state and its vaults: what one history makes of them, and whether the promises hold. */
export class Simulation {
  readonly promises: Promises;
  readonly #clock: VirtualClock;
  readonly #vault: SimulatedVault;
  readonly #random: SeededRandom;
  readonly #program = new DeclaredProgram();
  readonly #engine: SimulatedEngine;
  #process: SimulatedProcess | undefined;
  /** Where an object may be that nobody knows of: a run that wrote it has lost its state, or told of it. */
  readonly #excused = new Set<string>();
  #foreign = 0;
  #versions = 0;
  #generated = 0;

  constructor({ seed, isSlow }: Pick<History, "seed" | "isSlow">) {
    this.#random = new SeededRandom(seed);
    this.#clock = new VirtualClock(this.#random);
    this.#vault = new SimulatedVault(this.#clock, isSlow, seed);
    this.promises = new Promises(this.#vault);
    this.#engine = new SimulatedEngine(this.promises, this.#random);
  }

  client(vaultUrl: string): KeyVaultClient {
    if (this.#process === undefined) throw new Error("a vault was asked for outside of a run");
    return this.#process.client(vaultUrl);
  }

  /** In an order that says nothing of their age. */
  newVersionId(): string {
    const random = () =>
      Math.floor(this.#random.next() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return `${random()}${random()}${random()}${(++this.#versions).toString(16).padStart(8, "0")}`;
  }

  newKeyIndex(): number {
    return this.#generated++ * 2 + 1;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.promises.note(`-- ${JSON.stringify(step)}`);
      if (step.do === "foreign") await this.#actAsAnother(step);
      else await this.#try(step);
      this.#throwIfBroken();
      await this.#clock.pass(BETWEEN_RUNS_MS);
      this.#throwIfBroken();
    }
    await this.#settle();
    this.#throwIfBroken();
  }

  close(): void {
    this.#vault.close();
    useRunClock();
    forgetDeclaredObjects();
    forgetPendingMaterial();
  }

  #throwIfBroken(): void {
    if (this.promises.broken) throw this.promises.broken;
  }

  /** One run of the engine. @returns its failures, or that it was killed. */
  async #try(step: Run): Promise<Failure[] | "killed"> {
    for (const edit of step.edits) {
      const isDone = this.#program.apply(edit);
      this.promises.note(`   ${edit.edit}${isDone ? "" : ": nothing to do it to"}`);
    }
    const renewed = [...this.#program.renewed.splice(0), ...this.#program.renewedByReplacement()];
    for (const key of renewed) this.promises.license(key);
    forgetDeclaredObjects();
    forgetPendingMaterial();
    const process = new SimulatedProcess(this.#world, step.troubles);
    for (const { place } of this.#engine.entries.flatMap(objectsOf)) process.knowledge.known.add(placeKey(place));
    this.#process = process;
    useRunClock(process.clock);
    const before = this.#engine.entries;
    const run: EngineRun = {
      process,
      program: this.#program,
      continuesOnError: step.continuesOnError,
      killedAtWrite: step.killedAtWrite,
      failures: [],
    };
    this.#engine.begin();
    const outcome = await this.#clock.drive(
      Promise.race([this.#carryOut(step, run).then(() => "done"), process.killed]),
    );
    process.isDead = true;
    process.clock.end();
    this.#process = undefined;
    if (outcome === "done") this.promises.holdMadeRecorded(process.knowledge, this.#inState);
    if (step.isStateLost) this.#engine.entries = before;
    if (outcome === "killed" || step.isStateLost || run.failures.some(({ code }) => TELLS_OF_DOUBT.has(code))) {
      this.#excuseAll(before);
      this.promises.licenseLostKeys(this.#program);
    }
    // The engine forgets the former resource once its deletion has let the object stay for the next one.
    for (const declared of this.#program.resources.values()) {
      if (declared.place && this.#program.isReplaced(declared)) this.#excused.add(placeKey(declared.place));
    }
    this.#program.replaced.clear();
    this.#keepBlobs();
    for (const { place, onDelete, set } of this.#program.resources.values()) {
      const { removed } = (set === undefined ? undefined : this.#program.resources.get(set)) ?? {};
      const isLeft = [onDelete, removed].some((what) => what === "retain" || what === "disable");
      if (place && isLeft) this.#excused.add(placeKey(place));
    }
    const told = run.failures.map(({ logical, code }) => `${logical} ${code}`).join(", ");
    this.promises.note(`=> ${outcome}${told === "" ? "" : `: ${told}`}`);
    return outcome === "killed" ? "killed" : run.failures;
  }

  async #carryOut(step: Run, run: EngineRun): Promise<void> {
    if (step.do === "destroy") return this.#engine.destroy(run);
    if (step.do !== "up") await this.#engine.refresh(run);
    if (step.do === "refresh" || run.failures.length > 0) return;
    await this.#engine.up(run);
  }

  #excuseAll(before: readonly Entry[]): void {
    for (const { place } of [...this.#program.resources.values(), ...before.flatMap(objectsOf)]) {
      if (place === undefined) continue;
      this.#excused.add(placeKey(place));
      this.promises.doubtful.add(placeKey(place));
    }
  }

  /** As a program keeps them that has `restorable` among its stack's outputs. */
  #keepBlobs(): void {
    const { saved } = this.#program;
    for (const { type, outs } of this.#engine.entries) {
      if (type !== "KeyBackup" && type !== "SecretBackup") continue;
      const blob = String(outs.blob);
      if (saved.some((other) => other.blob === blob)) continue;
      const collection = type === "KeyBackup" ? "keys" : "secrets";
      saved.push({ blob, collection, name: String(outs.name), version: String(Object(outs.covered).version) });
    }
  }

  get #world(): World {
    return {
      clock: this.#clock,
      vault: this.#vault,
      promises: this.promises,
      random: this.#random,
      act: (place, act, isMarked) => this.#act(place, act, isMarked),
    };
  }

  async #actAsAnother({ act, pick, isMarked }: Foreign): Promise<void> {
    const place = PLACES[pick % PLACES.length];
    if (place !== undefined) await this.#act(place, act, isMarked);
  }

  async #act(place: Place, act: ForeignAct, isMarked: boolean): Promise<void> {
    const { collection, name } = place;
    const path = `/${collection}/${name}`;
    const marks = isMarked ? { "pulumi-keyvault": ANOTHERS_MARK } : {};
    const truth = this.#vault.truth(place);
    const send = async (method: string, where: string, body?: object, source?: string): Promise<void> => {
      const answered = await this.#vault.act(place, method, where, body);
      this.promises.note(`   somebody else: ${method} ${place.vault}${where}: ${answered.status}`);
      if (answered.status < 200 || answered.status > 299) return;
      this.promises.disturb(place);
      if (source !== undefined) this.promises.sources.set(versionOf(answered), source);
    };
    switch (act) {
      case "write":
      case "write the same": {
        const declared = this.#program.declaredAt(place)?.source;
        const isSame = act === "write the same" && declared?.kind === "given";
        const content = isSame ? declared.content : 1_000 + ++this.#foreign;
        const source = isSame ? sourceText(declared) : `foreign ${content}`;
        const body =
          collection === "keys" ? { key: pooledKey(importedIndex(content)) } : { value: `${CANARY} ${content}` };
        return send("PUT", path, { ...body, tags: { ...marks, foreign: "true" } }, source);
      }
      case "stamp":
        if (isThere(truth))
          await send("PATCH", `${path}/${truth.version}`, {
            tags: { ...truth.tags, "pulumi-keyvault": ANOTHERS_MARK },
          });
        return;
      case "unmark":
        if (isThere(truth)) await send("PATCH", `${path}/${truth.version}`, { tags: withoutMark(truth.tags) });
        return;
      case "delete":
        return send("DELETE", path);
      case "purge":
        if (isThere(truth)) await send("DELETE", path);
        else await send("DELETE", `/deleted${collection}/${name}`);
        return;
      case "recover":
        return send("POST", `/deleted${collection}/${name}/recover`);
    }
  }

  /** Without trouble the program comes true, unless somebody else has a name: then that is what it says. */
  async #settle(): Promise<void> {
    this.promises.note("-- until done");
    await this.#undisturbed("refresh");
    let failures = await this.#undisturbed("up");
    // What one resource lets go in its deletion may be what another one waits for.
    if (failures.length > 0) failures = await this.#undisturbed("up");
    const refused = new Set(failures.map(({ logical }) => logical.split("/")[0] ?? logical));
    const left = failures.filter((failure) => this.#isLeftToNobody(failure, refused));
    for (const failure of failures) if (!left.includes(failure)) this.#holdRefusal(failure);
    const waits = (declared: Declared): boolean =>
      this.#program.dependenciesOf(declared).some((logical) => {
        const needed = this.#program.resources.get(logical);
        return refused.has(logical) || (needed !== undefined && waits(needed));
      });
    // A set of which a key is refused is not done, and its other keys are.
    for (const { logical, set } of this.#program.resources.values()) {
      if (set !== undefined && refused.has(logical)) refused.add(set);
    }
    for (const declared of this.#program.resources.values()) {
      if (refused.has(declared.logical)) continue;
      if (waits(declared)) refused.add(declared.logical);
      else this.#holdResource(declared);
    }
    this.#holdNoOrphans(failures.length > 0);
    // Whether a set lets a key go before or after the look of what declares it by now, a later run may decide otherwise.
    if (left.length === 0) await this.#holdPeace(refused);
  }

  async #undisturbed(what: "refresh" | "up"): Promise<Failure[]> {
    const outcome = await this.#try({ do: what, ...NO_TROUBLE });
    this.#throwIfBroken();
    await this.#clock.pass(BETWEEN_RUNS_MS);
    if (outcome === "killed") this.promises.break("a run without trouble is killed");
    if (what === "refresh" && outcome.length > 0) this.promises.break("a refresh without trouble fails");
    return outcome;
  }

  /** A key that leaves its set stays in it where the resource that declares it is refused it. */
  #isLeftToNobody({ logical, code }: Failure, refused: ReadonlySet<string>): boolean {
    const [, name] = logical.split("/");
    if (name === undefined || code !== "KV_CONFLICT") return false;
    const next = this.#program.declaredAt({ vault: "here", collection: "keys", name });
    return next !== undefined && refused.has(next.logical);
  }

  /** A refusal without trouble is true of what is there. */
  #holdRefusal({ logical, code, message }: Failure): void {
    const declared = this.#program.resources.get(logical);
    const place = declared?.place;
    const truth = place && this.#vault.truth(place);
    if (declared === undefined || place === undefined || !this.#isTrue(code, declared, truth)) {
      this.promises.break(`a run without trouble fails: ${logical}: ${message}`);
    }
  }

  #isTrue(code: string, declared: Declared, truth: Truth | undefined): boolean {
    const { source, type } = declared;
    // A date that the key has, and its entry has no more: only another key is without it.
    if (code === "KV_INVALID_INPUT" && isThere(truth)) {
      return this.#isKept(declared, truth) && truth.expiresOn !== undefined && declared.expiresOn === undefined;
    }
    const isRestore = source?.kind === "copy" || source?.kind === "saved";
    if (source?.kind === "adopt") return code === "KV_NOT_FOUND" && truth === undefined;
    if (code === "KV_DELETED_RECOVERABLE")
      return truth !== undefined && !isThere(truth) && (isAnothers(truth) || isRestore);
    if (code !== "KV_ALREADY_EXISTS" || !isThere(truth)) return false;
    const isOther = this.promises.sources.get(truth.version) !== sourceText(source);
    // A generated key that was adopted meanwhile does not say any more of what it was made.
    const isUnsaid = source?.kind === "generate" && !/\.[\w-]{8}$/.test(truth.tags["pulumi-keyvault"] ?? "");
    return isRestore || !isOwn(truth) || isOther || isUnsaid || (type === "Secret" && !truth.enabled);
  }

  /** An entry of a set that turns from import to generate keeps its key, as a Key does (docs/refactoring.md). */
  #isKept({ set, wasInSet, source }: Declared, { version }: Truth): boolean {
    const made = this.promises.sources.get(version);
    return (
      (set !== undefined || wasInSet === true) && source?.kind === "generate" && made?.startsWith("given") === true
    );
  }

  #holdResource(declared: Declared): void {
    const { logical, place, source, tag, expiresOn, set } = declared;
    const entry = this.#engine.entries.find((other) => other.logical === (set ?? logical) && !other.isReplaced);
    if (entry === undefined) this.promises.break(`${logical} is done, and not in state`);
    if (declared.type === "KeySet") {
      const wanted = this.#program.membersOf(declared).map((member) => member.place && placeKey(member.place));
      for (const object of objectsOf(entry)) {
        const key = placeKey(object.place);
        if (!wanted.includes(key)) this.promises.break(`${key} has left ${logical}, and is in its state`);
      }
      return;
    }
    if (place === undefined) {
      this.#holdBackup(declared, entry);
      return;
    }
    const key = placeKey(place);
    const truth = this.#vault.truth(place);
    if (!isThere(truth)) this.promises.break(`${key} is done, and not there`);
    const recorded = objectsOf(entry).find((object) => placeKey(object.place) === key)?.outs;
    if (recorded?.version !== truth.version)
      this.promises.break(`state names another version of ${key} than the vault's`);
    const tags = withoutMark(truth.tags);
    if (tags.tag !== String(tag)) this.promises.break(`the tags of ${key} are not what the program says`);
    if (source?.kind !== "given" && source?.kind !== "generate") return;
    if (!truth.enabled) this.promises.break(`${key} is disabled`);
    if (Object.keys(tags).length !== 1) this.promises.break(`the tags of ${key} are not what the program says`);
    const expiry = expiresOn === undefined ? undefined : momentOf(expiresOn) / 1000;
    if (truth.expiresOn !== expiry) this.promises.break(`the expiry of ${key} is not what the program says`);
    const days = declared.rotateAfterDays;
    // A policy that no state knows of, and no program, is not looked for in each refresh.
    const isUnlooked = days === undefined && this.promises.doubtful.has(key);
    if (
      source.kind === "generate" &&
      !isUnlooked &&
      truth.rotateAfter !== (days === undefined ? undefined : `P${days}D`)
    ) {
      this.promises.break(`the rotation policy of ${key} is not what the program says: ${truth.rotateAfter}`);
    }
    const made = this.promises.sources.get(truth.version);
    if (made !== sourceText(source) && !this.#isKept(declared, truth)) {
      this.promises.break(`${key} is not of the source that the program says: ${made}`);
    }
  }

  #holdBackup({ logical, of, type }: Declared, { outs }: Entry): void {
    if (type !== "VaultBackup") {
      const source = this.#engine.entries.find((other) => other.logical === of && !other.isReplaced);
      const covered = Object(outs.covered).version;
      if (covered !== source?.outs.version) this.promises.break(`${logical} covers another version than the vault's`);
      return;
    }
    const covered = outs.covered as Record<string, Record<string, string>>;
    for (const place of PLACES) {
      if (place.vault !== "here") continue;
      const truth = this.#vault.truth(place);
      const taken = covered[place.collection]?.[place.name]?.split(" ")[0];
      if (isThere(truth) && taken !== truth.version) this.promises.break(`${logical} lacks ${placeKey(place)}`);
    }
  }

  get #inState(): ReadonlySet<string> {
    return new Set(this.#engine.entries.flatMap(objectsOf).map(({ place }) => placeKey(place)));
  }

  /** What carries our mark is in state, unless a run has lost it or told of it. */
  #holdNoOrphans(hasFailed: boolean): void {
    if (hasFailed) return;
    const inState = this.#inState;
    for (const place of PLACES) {
      const truth = this.#vault.truth(place);
      const key = placeKey(place);
      const isOrphan = isThere(truth) && isOwn(truth) && !inState.has(key) && this.promises.disturbances(place) === 0;
      if (isOrphan && !this.#excused.has(key)) this.promises.break(`${key} is nobody's: no state has it`);
    }
  }

  /** Once it is done nothing is written again, and a refresh finds no difference. */
  async #holdPeace(refused: ReadonlySet<string>): Promise<void> {
    const { writes } = this.promises;
    let differing = await this.#differing(refused);
    // Deletions come last: what they have disabled is in a backup of the whole vault as it was before.
    if (differing.length > 0 && differing.every(({ type }) => type === "VaultBackup")) {
      await this.#undisturbed("up");
      differing = await this.#differing(refused);
    }
    for (const { logical, inputs } of differing) {
      this.promises.break(`a refresh finds a difference in ${logical}: ${canonical(inputs)}`);
    }
    await this.#undisturbed("up");
    if (this.promises.writes > writes) this.promises.break("a run of a program that is done writes");
  }

  async #differing(refused: ReadonlySet<string>): Promise<Entry[]> {
    const standing = () =>
      this.#engine.entries.filter(
        ({ logical, isReplaced }) => !isReplaced && !refused.has(logical) && this.#program.hasResource(logical),
      );
    const inputs = new Map(standing().map((entry) => [entry.logical, canonical(entry.inputs)]));
    await this.#undisturbed("refresh");
    return standing().filter((entry) => inputs.get(entry.logical) !== canonical(entry.inputs));
  }
}

/** Failures that tell the user that something may be in the vault. */
const TELLS_OF_DOUBT: ReadonlySet<string> = new Set(["KV_UNCERTAIN", "KV_TIMEOUT"]);
