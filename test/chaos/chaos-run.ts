import { randomUUID } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { recordedOutputs } from "../engine/decrypted-state.js";
import { type Run, Stack } from "../engine/stack.js";
import { ChangingProgram, type ProgramSize } from "./changing-program.js";
import { CuttableLine } from "./cuttable-line.js";
import { kill, MARK, markedProcesses } from "./marked-processes.js";
import { privateInState, wrongInBackups, wrongInVault } from "./round-checks.js";
import { type Strike, type StruckRun, struckRun, TARGETS } from "./struck-run.js";
import { VaultProcess } from "./vault-process.js";

export interface ChaosOptions {
  seed: string;
  rounds: number;
  /** How many stacks are struck at the same time, each with a share of the rounds and a vault of its own. */
  atOnce?: number | undefined;
  size: ProgramSize;
  /** Told of each round as it ends. */
  onRound?: ((round: Round) => void) | undefined;
}

export interface Round {
  /** Reproduces the rounds of one stack from its first one on. */
  seed: string;
  round: number;
  changes: string[];
  strikes: (Strike & Pick<StruckRun, "isStruck" | "exitCode" | "requests" | "answers" | "checkpoints">)[];
  /** How often the checkpoint was empty or half, and its `.bak` took its place. */
  restoredCheckpoints: number;
  /** Codes of the runs that failed. */
  codes: string[];
  /** Everything that is not as it has to be. */
  wrong: string[];
  /** What the runs printed, where something is wrong. */
  texts: string[];
  milliseconds: number;
}

/** A stack gets no older than this, so that its last round costs no more than its first. */
const ROUNDS_OF_A_STACK = 50;
/** How far ahead the observer's clock is: what the vault does in its own time is done for it. */
const SETTLING_MS = 5_000;

/**
 * Strikes a changing program round by round. Ends with the first round in which something is wrong.
 *
 * @param seed `7`, or `7/3` for the third stack of that seed alone.
 */
export async function runChaos({ seed, rounds, atOnce = 1, size, onRound }: ChaosOptions): Promise<Round[]> {
  if (seed.includes("/")) return strikeStack({ seed, rounds, size, onRound });
  const ofOne = Math.min(ROUNDS_OF_A_STACK, Math.ceil(rounds / atOnce));
  const done: Round[] = [];
  let next = 1;
  const strikeOn = async (): Promise<void> => {
    for (;;) {
      const stack = next;
      const count = Math.min(ofOne, rounds - (stack - 1) * ofOne);
      if (count <= 0 || done.some(({ wrong }) => wrong.length > 0)) return;
      next += 1;
      done.push(...(await strikeStack({ seed: `${seed}/${stack}`, rounds: count, size, onRound })));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, strikeOn));
  return done;
}

async function strikeStack({ seed, rounds, size, onRound }: ChaosOptions): Promise<Round[]> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-chaos-"));
  const store = join(folder, "chaos.vault");
  const vault = new VaultProcess(store, seed, new SeededRandom(`timing ${seed}`).next() < 0.5 ? "instant" : "short");
  const mark = randomUUID();
  let line: CuttableLine | undefined;
  let stack: Stack | undefined;
  let observer: Emulator | undefined;
  try {
    await vault.start();
    line = await CuttableLine.open(seed, () => vault.port);
    // On the same store, without latency, and in nobody's way.
    observer = await startEmulator({ store });
    observer.clock.advance(SETTLING_MS);
    const program = new ChangingProgram(seed, size);
    stack = await Stack.create({
      isProviderCold: true,
      program: "",
      config: { "keyvault:vaultUrl": `http://127.0.0.1:${line.port}`, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: observer.token, [MARK]: mark },
    });
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const startedAt = Date.now();
      const random = new SeededRandom(`strike ${seed} ${round}`);
      const changes = round === 1 ? program.objects.map(({ name }) => `${name}: create`) : program.refactor();
      const outcome = await strikeAndRepair({ stack, vault, line, observer, program, random, changes, mark });
      const result = { seed, round, changes, ...outcome, milliseconds: Date.now() - startedAt };
      done.push(result);
      onRound?.(result);
      if (outcome.wrong.length > 0) break;
    }
    return done;
  } finally {
    for (const { pid } of markedProcesses(mark)) kill(pid);
    await vault.kill();
    await line?.close();
    await observer?.close();
    if (process.env.CHAOS_KEEP === undefined) {
      await stack?.remove();
      await rm(folder, { recursive: true, force: true });
    }
  }
}

type Outcome = Omit<Round, "seed" | "round" | "changes" | "milliseconds">;

interface Scene {
  stack: Stack;
  vault: VaultProcess;
  line: CuttableLine;
  observer: Emulator;
  program: ChangingProgram;
  random: SeededRandom;
  changes: string[];
  mark: string;
}

async function strikeAndRepair(scene: Scene): Promise<Outcome> {
  const { stack, program, random, changes, mark, observer } = scene;
  const outcome: Outcome = {
    strikes: [],
    restoredCheckpoints: 0,
    codes: [],
    wrong: [],
    texts: [],
  };
  for (const [name, content] of program.files) await stack.file(name, content);
  await stack.program(program.text);
  const note = ({ exitCode, text }: Pick<Run, "exitCode" | "text">) => {
    outcome.texts.push(`exit ${exitCode}\n${text}`);
    if (exitCode !== 0) outcome.codes.push(...new Set(text.match(/KV_[A-Z_]+/g) ?? ["no code"]));
  };
  // Every fourth round is struck again while it is repaired.
  const strikes = random.next() < 0.25 ? 2 : 1;
  for (let strike = 0; strike < strikes; strike += 1) {
    const planned = planStrike(random, changes.length);
    const run = await struckRun(stack, scene, planned, mark);
    const { isStruck, exitCode, requests, answers, checkpoints } = run;
    outcome.strikes.push({ ...planned, isStruck, exitCode, requests, answers, checkpoints });
    if (isStruck && planned.target !== "vault" && planned.target !== "connection") outcome.texts.push(run.text);
    else note(run);
    if (!isStruck && exitCode !== 0) outcome.wrong.push("a run that was not struck failed");
    if (exitCode === -1 && planned.emptiesCheckpoint) await writeFile(checkpointOf(stack), "");
    if (await restoreCheckpoint(stack)) outcome.restoredCheckpoints += 1;
    outcome.wrong.push(...privateInState(program, stack));
    // An engine that was killed leaves its lock; any other has let go of it.
    if (exitCode === -1) await stack.pulumi("cancel", "--yes");
  }
  const repaired = await stack.tryUp();
  note(repaired);
  // One that lost a look, too, may need another; a vault that is well leaves nothing to fail.
  if (repaired.exitCode !== 0) outcome.wrong.push("the next up failed");
  for (const { pid } of markedProcesses(mark)) kill(pid);
  if (repaired.exitCode !== 0) return outcome;
  noteOnlyDeleted(program, outcome.texts);
  outcome.wrong.push(...(await wrongInVault(program, observer)));
  outcome.wrong.push(...(await wrongInBackups(program, observer, recordedOutputs(stack))));
  const drift = await stack.drift();
  if (drift.run.exitCode !== 0) {
    outcome.wrong.push(`the refresh is not clean (exit ${drift.run.exitCode}): ${JSON.stringify(drift.properties)}`);
    outcome.texts.push(drift.run.text);
  }
  outcome.wrong.push(...privateInState(program, stack));
  await forgetHistory(stack);
  if (outcome.wrong.length === 0) outcome.texts = [];
  return outcome;
}

/** The provider tells what it has deleted and not purged, in the run that did it. One that was killed may not have come to it. */
function noteOnlyDeleted({ objects }: ChangingProgram, texts: readonly string[]): void {
  for (const object of objects.filter(({ isDeclared, onDelete }) => !isDeclared && onDelete === "purge")) {
    const words = new RegExp(`"${object.name}" in \\S+ was deleted and not purged: it was taken over`);
    object.isOnlyDeleted ||= texts.some((text) => words.test(text));
  }
}

/** A moment that lies between the first request and the last state write in most rounds. */
function planStrike(random: SeededRandom, changes: number): Strike {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T;
  const on = pick(["request", "request", "answer", "answer", "checkpoint"] as const);
  const events = on === "checkpoint" ? changes * 2 : changes * 2.2;
  return {
    target: pick(TARGETS),
    on,
    after: 1 + Math.floor(random.next() * events),
    milliseconds: Math.floor(random.next() * 200),
    awayFor: Math.floor(random.next() ** 2 * 3_000),
    arrives: random.next() < 0.5,
    parallel: random.next() < 0.4 ? 3 : undefined,
    skipCheckpoints: random.next() < 0.2,
    emptiesCheckpoint: random.next() < 0.4,
  };
}

function checkpointOf(stack: Stack): string {
  return join(stack.folder, "state/.pulumi/stacks/test/dev.json");
}

/**
 * The engine's file backend does not write in one step: as a user would, the step before takes an empty one's place. Of
 * what the backend notes beside a file nothing is needed.
 */
async function restoreCheckpoint(stack: Stack): Promise<boolean> {
  const file = checkpointOf(stack);
  const isWhole = await isJson(file);
  if (!isWhole) await copyFile(`${file}.bak`, file);
  for (const written of [file, `${file}.bak`]) {
    if (!(await isJson(`${written}.attrs`))) await rm(`${written}.attrs`, { force: true });
  }
  return !isWhole;
}

async function isJson(file: string): Promise<boolean> {
  try {
    JSON.parse(await readFile(file, "utf8"));
    return true;
  } catch {
    return false;
  }
}

/** What was looked through, so that a round costs no more than the one before. */
async function forgetHistory(stack: Stack): Promise<void> {
  for (const name of ["backups", "history"]) {
    await rm(join(stack.folder, "state/.pulumi", name), { recursive: true, force: true });
  }
}
