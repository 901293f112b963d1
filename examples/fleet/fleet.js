import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { getKey, listKeys } from "pulumi-keyvault";
import { keysOf } from "./keys.js";
import { vaultsIn } from "./vaults.js";

const HELP = `node fleet.js COMMAND [options]: one stack for each vault of vaults.json

Commands:
  up        creates and updates the keys of every vault
  destroy   takes away what the stacks have made
  drift     tells what was changed outside, over all stacks, in one report
  compare   tells in what the vaults differ, which should be alike

Options:
  --parallel N   stacks at a time (default 4: each takes an engine and a provider)
  --only NAMES   of these vaults alone, with commas between
  --vaults FILE  names and URLs of the vaults (default: vaults.json)
  --resume       leaves out what the run before, which was cut off or failed in part, has done

Exit codes: 0 done, nothing differs; 1 a stack failed; 7 drift, or vaults that differ; 2 wrong usage,
or no file of vaults; drift has those of pulumi-keyvault drift beside: 8 where not all stacks could be looked at`;

const folder = dirname(fileURLToPath(import.meta.url));
const { command, names, fleet, parallel, file, resume } = asked();

if (command === "up" || command === "destroy") process.exitCode = await runAll(command);
else if (command === "drift") process.exitCode = await drift();
else process.exitCode = await compare();

/** What is asked for. Anything else ends the program with one line that says what to do. */
function asked() {
  const { positionals, values } = given();
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const [command = "", ...more] = positionals;
  if (!["up", "destroy", "drift", "compare"].includes(command)) {
    fail(`there is ${command === "" ? "no command" : `no command "${command}"`}: take up, destroy, drift or compare`);
  }
  if (more.length > 0) fail(`one command at a time, without ${more.join(" ")}`);
  if (values.resume && (command === "drift" || command === "compare")) fail(`${command} has nothing to resume`);
  const parallel = Number(values.parallel);
  if (!Number.isInteger(parallel) || parallel < 1) fail("--parallel is a number of stacks, 1 or more");
  const file = resolve(values.vaults);
  const fleet = vaultsOf(file);
  const names =
    values.only === undefined ? [...fleet.keys()] : [...new Set(values.only.split(",").map((name) => name.trim()))];
  const unknown = names.filter((name) => !fleet.has(name));
  if (unknown.length > 0) {
    fail(
      `${basename(file)} has no ${unknown.map((name) => name || '""').join(", ")}: it has ${[...fleet.keys()].join(", ")}`,
    );
  }
  // Paths of embedded vaults are those of the project, wherever this is started.
  process.chdir(folder);
  return { command, names, fleet, parallel, file, resume: values.resume };
}

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        parallel: { type: "string", default: "4" },
        only: { type: "string" },
        vaults: { type: "string", default: join(folder, "vaults.json") },
        resume: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return fail(`${messageOf(error).split(/[.\n]/, 1)[0]}: see node fleet.js --help`);
  }
}

/** @param {string} file */
function vaultsOf(file) {
  try {
    return vaultsIn(file);
  } catch (error) {
    return fail(messageOf(error));
  }
}

/**
 * @param {string} what
 * @returns {never}
 */
function fail(what) {
  console.error(`fleet: ${what}`);
  process.exit(2);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs one command on every stack, a few at a time. What is done is noted, so that a run that was cut off goes on where
 * it stopped; a stack that was cut off itself is taken up by Pulumi and the provider, which look before they write.
 *
 * @param {"up" | "destroy"} command
 * @returns {Promise<number>} the exit code
 */
async function runAll(command) {
  const journal = join(folder, `.fleet-${command}.json`);
  /** @type {string[]} */
  const done = resume && existsSync(journal) ? namesIn(journal) : [];
  const due = names.filter((name) => !done.includes(name));
  if (due.length < names.length) console.log(`${names.length - due.length} done before, ${due.length} to go`);
  const stopping = stopped();
  /** @type {Outcome[]} */
  const outcomes = [];
  await eachOf(due, async (name) => {
    if (stopping.isDue()) return;
    const outcome = await run(command, name, stopping.signal);
    outcomes.push(outcome);
    console.log(summaryOf(outcome));
    if (outcome.error !== undefined) return;
    done.push(name);
    writeFileSync(journal, JSON.stringify(done));
  });
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const left = due.length - outcomes.length;
  if (failed.length === 0 && left === 0) rmSync(journal, { force: true });
  const rest = failed.length + left > 0 ? `, ${failed.length} failed, ${left} not begun: mend it and add --resume` : "";
  console.log(`${command}: ${outcomes.length - failed.length} of ${due.length} stacks done${rest}`);
  return failed.length + left > 0 ? 1 : 0;
}

/**
 * After Ctrl-C no further stack begins. A terminal tells the engines of it too, which end in their own time; of SIGTERM
 * they are told here, by the signal.
 */
function stopped() {
  const engines = new AbortController();
  let isDue = false;
  process.on("SIGINT", () => {
    isDue = true;
  });
  process.on("SIGTERM", () => {
    isDue = true;
    engines.abort();
  });
  return { isDue: () => isDue, signal: engines.signal };
}

/**
 * @param {string} journal
 * @returns {string[]}
 */
function namesIn(journal) {
  try {
    const done = JSON.parse(readFileSync(journal, "utf8"));
    if (Array.isArray(done)) return done;
  } catch {
    // Cut off while it was written.
  }
  return fail(`${basename(journal)} cannot be read: run ${command} without --resume, which does nothing twice`);
}

/**
 * @typedef {{ name: string; seconds: number; changes: Record<string, number>; error?: string }} Outcome
 *
 * @param {"up" | "destroy"} command
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
async function run(command, name, signal) {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  // Of this stack alone: what hears the signal of all would be kept until all are done.
  const engine = new AbortController();
  const onAbort = () => engine.abort();
  signal.addEventListener("abort", onAbort);
  try {
    const stack = await stackOf(name);
    // State is written once at the end: safe here, as a run that is cut off is taken up by the next one.
    const options = /** @type {const} */ ({ color: "never", signal: engine.signal });
    const { summary } = command === "up" ? await stack.up(options) : await stack.destroy(options);
    return { name, seconds: seconds(), changes: /** @type {Record<string, number>} */ (summary.resourceChanges ?? {}) };
  } catch (error) {
    return { name, seconds: seconds(), changes: {}, error: reasonOf(error) };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** @param {string} name */
function stackOf(name) {
  const program = async () => keysOf(fleet.get(name) ?? "");
  return LocalWorkspace.createOrSelectStack(
    { projectName: "fleet", stackName: name, program },
    { workDir: folder, envVars: { PULUMI_SKIP_CHECKPOINTS: "true" } },
  );
}

/**
 * The lines in which the engine tells what failed.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  const text = messageOf(error);
  if (text.includes("ENOENT: pulumi")) return "there is no `pulumi` in the PATH: install it";
  const told = text.split("\n").filter((line) => /KV_[A-Z_]+|error:/.test(line));
  return (told.length > 0 ? told : text.split("\n")).slice(0, 3).join("; ").trim();
}

/** @param {Outcome} outcome */
function summaryOf({ name, seconds, changes, error }) {
  const told = Object.entries(changes).map(([operation, count]) => `${count} ${operation}`);
  return `${name}: ${error === undefined ? told.join(", ") || "nothing to do" : `FAILED: ${error}`} (${seconds.toFixed(1)} s)`;
}

/**
 * One report and one exit code over all stacks, in the words of the command.
 *
 * @returns {Promise<number>}
 */
function drift() {
  const main = createRequire(import.meta.url).resolve("pulumi-keyvault/package.json");
  const child = spawn(process.execPath, [join(dirname(main), "dist/cli/main.js"), "drift", "--stack", ...names], {
    cwd: folder,
    env: { ...process.env, FLEET_VAULTS: file },
    stdio: "inherit",
  });
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

/**
 * Names, kinds, operations, tags and states of the keys in each vault, beside those of the first one. Versions and
 * material differ by nature.
 *
 * @returns {Promise<number>}
 */
async function compare() {
  /** @type {Map<string, Map<string, string>>} */
  const held = new Map();
  let failed = 0;
  await eachOf(names, async (name) => {
    try {
      held.set(name, await factsOf(fleet.get(name) ?? ""));
    } catch (error) {
      failed++;
      console.log(`${name}: FAILED: ${messageOf(error)}`);
    }
  });
  if (failed > 0) {
    console.log(`compare: ${failed} of ${names.length} vaults could not be read`);
    return 1;
  }
  const [first = "", ...others] = names;
  const expected = held.get(first) ?? new Map();
  let differing = 0;
  for (const other of others) {
    const found = held.get(other) ?? new Map();
    for (const fact of [...new Set([...expected.keys(), ...found.keys()])].sort()) {
      const [before, after] = [expected.get(fact) ?? "absent", found.get(fact) ?? "absent"];
      if (before === after) continue;
      differing++;
      console.log(`${other}: ${fact} is ${after}, and ${before} in ${first}`);
    }
  }
  console.log(`compare: ${names.length} vaults, ${differing} differences`);
  return differing > 0 ? 7 : 0;
}

/** @param {string} vaultUrl */
async function factsOf(vaultUrl) {
  /** @type {Map<string, string>} */
  const facts = new Map();
  for await (const { name } of listKeys(vaultUrl)) {
    const key = await getKey({ vaultUrl, name });
    const { keyType, curve, keySize, keyOps, enabled, tags } = key;
    for (const [fact, value] of Object.entries({
      kind: `${keyType} ${curve ?? keySize ?? ""}`.trim(),
      keyOps: [...keyOps].sort().join(", "),
      enabled: String(enabled),
      tags: JSON.stringify(Object.fromEntries(Object.entries(tags ?? {}).sort())),
    })) {
      facts.set(`${fact} of ${name}`, value);
    }
  }
  return facts;
}

/**
 * @param {readonly string[]} names
 * @param {(name: string) => Promise<void>} work
 */
async function eachOf(names, work) {
  const queue = [...names];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await work(name);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
