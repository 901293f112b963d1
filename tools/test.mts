import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { LANGUAGES, LanguageHostUnavailableError, provisionLanguage } from "./engine/language-host.mts";
import { type Engine, EngineUnavailableError, provisionEngine } from "./engine/provision.mts";
import { provisionSdks, SdksUnavailableError } from "./sdks/provision-sdks.mts";
import { PythonUnavailableError, provisionPython } from "./sdks/python-environment.mts";

// npm test: everything that CI checks. The last line counts the tests and, one each, the other checks.

const root = join(import.meta.dirname, "..");
const scratch = join(root, ".tmp", "npm-test");
const results = join(scratch, "vitest.json");

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const PASSED: Tally = { passed: 1, failed: 0, skipped: 0 };
const FAILED: Tally = { passed: 0, failed: 1, skipped: 0 };

interface Check {
  name: string;
  check: () => Tally | Promise<Tally>;
}

/** What reads and does not write, and uses one core: two are under way at a time. What each prints is told at its end. */
const readings: readonly Check[] = [
  { name: "Types", check: () => npmBin("tsc", "-p", "tsconfig.json") },
  { name: "Types of the examples", check: examples },
  { name: "Format and lint", check: () => npmBin("biome", "ci", ".", "--diagnostic-level=warn") },
  { name: "Unused code and dependencies", check: () => npmBin("knip") },
  { name: "Package as publint sees it", check: async () => npmBin("publint", "run", await pack(), "--strict") },
  // An old resolver without `exports` is no aim: Node 22 is the oldest that we support.
  { name: "Package as TypeScript sees it", check: async () => npmBin("attw", await pack(), "--profile", "node16") },
];

/** In the order in which a failure is cheapest to learn of. Examples and tools see the package as users do: as built. */
const checks: readonly Check[] = [
  { name: "Build", check: () => node("tools/build.mts") },
  { name: "Types, lint and package", check: () => atOnce(readings) },
  { name: "Pulumi engine", check: engine },
  { name: "Tests", check: tests },
];

rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });

let packed: ReturnType<typeof ended> | undefined;
const failures: string[] = [];
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const times: string[] = [];
for (const { name, check } of checks) {
  console.log(`\n== ${name}\n`);
  const start = performance.now();
  const tally = await check();
  times.push(`${name}: ${Math.round((performance.now() - start) / 1000)} s`);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  if (tally.failed > 0) failures.push(name);
}
rmSync(scratch, { recursive: true, force: true });

console.log(`\n${times.join("\n")}`);
console.log(failures.length > 0 ? `\nFailed: ${failures.join(", ")}\n` : "");
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exitCode = total.failed > 0 ? 1 : 0;

function npmBin(program: string, ...args: string[]): Promise<Tally> {
  return tallied(join(root, "node_modules", ".bin", program), args);
}

function node(...args: string[]): Promise<Tally> {
  return tallied(process.execPath, args);
}

/** What it prints is kept together, since others print too. */
async function tallied(program: string, args: readonly string[]): Promise<Tally> {
  const { status, printed } = await ended(program, args);
  process.stdout.write(printed);
  return status === 0 ? PASSED : FAILED;
}

function ended(program: string, args: readonly string[]): Promise<{ status: number | null; printed: string }> {
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    }
    child.on("error", ({ message }) => done({ status: null, printed: `${message}\n` }));
    child.on("close", (status) => done({ status, printed }));
  });
}

async function atOnce(all: readonly Check[]): Promise<Tally> {
  const left = [...all];
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { passed, failed } = await next.check();
      console.log(`${next.name}: ${failed > 0 ? "failed" : "passed"}`);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all([work(), work()]);
  return total;
}

/** The package as npm would publish it, from what the build has just made. */
async function pack(): Promise<string> {
  packed ??= ended("npm", ["pack", "--ignore-scripts", "--json", "--loglevel=silent", "--pack-destination", scratch]);
  const { printed } = await packed;
  const names = z.array(z.looseObject({ filename: z.string() })).safeParse(parseJson(printed));
  return join(scratch, names.data?.[0]?.filename ?? "nothing-was-packed");
}

/** Each example is a project of its own. */
async function examples(): Promise<Tally> {
  for (const project of globSync("examples/*/{ts,js}config.json", { cwd: root }).sort()) {
    if ((await npmBin("tsc", "-p", project)).failed > 0) return FAILED;
  }
  return PASSED;
}

async function engine(): Promise<Tally> {
  try {
    const provisioned = await provisionEngine();
    const { version, source, binDir } = provisioned;
    console.log(`Pulumi ${version} (${source}: ${binDir})`);
    await orSkipped("the oldest engine", () => provisionEngine({ version: "oldest" }));
    await otherLanguages(provisioned);
    return PASSED;
  } catch (error) {
    if (!(error instanceof EngineUnavailableError)) throw error;
    console.error(error.message);
    return FAILED;
  }
}

/** Here, where it can be seen how far they are, and not within the time limit of a test. */
async function otherLanguages(engine: Engine): Promise<void> {
  for (const language of LANGUAGES)
    await orSkipped(`examples in ${language}`, () => provisionLanguage(engine, language));
  await orSkipped("the SDKs and of the examples that need one", () => provisionSdks());
  await orSkipped("examples in python", () => provisionPython());
}

async function orSkipped(tests: string, provision: () => Promise<unknown>): Promise<void> {
  try {
    await provision();
  } catch (error) {
    const kinds = [EngineUnavailableError, LanguageHostUnavailableError, SdksUnavailableError, PythonUnavailableError];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
    console.error(`${error instanceof Error ? error.message : ""}\nThe tests of ${tests} are skipped.`);
  }
}

function tests(): Tally {
  const { status, error } = spawnSync(
    join(root, "node_modules", ".bin", "vitest"),
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`],
    { cwd: root, stdio: "inherit", shell: process.platform === "win32" },
  );
  if (error) console.error(error.message);
  const passed = status === 0;
  const report = z
    .looseObject({
      numPassedTests: z.number(),
      numFailedTests: z.number(),
      numPendingTests: z.number(),
      numTodoTests: z.number(),
      testResults: z.array(
        z.looseObject({
          name: z.string(),
          startTime: z.number(),
          endTime: z.number(),
          assertionResults: z.array(z.unknown()),
        }),
      ),
    })
    .safeParse(parseJson(readIfThere(results)));
  if (!report.success) return FAILED;
  tellRooms(report.data.testResults);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report.data;
  // A file that does not load, or an error outside any test, fails the run without a failed test.
  const failed = passed ? numFailedTests : Math.max(numFailedTests, 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/** Where the time went: by room, and the files that took longest. Some run beside each other, so the sum is longer. */
function tellRooms(
  files: readonly { name: string; startTime: number; endTime: number; assertionResults: unknown[] }[],
) {
  const timed = files.map(({ name, startTime, endTime, assertionResults }) => ({
    path: relative(root, name).replaceAll("\\", "/"),
    seconds: (endTime - startTime) / 1000,
    tests: assertionResults.length,
  }));
  const rooms = new Map<string, { files: number; tests: number; seconds: number }>();
  for (const { path, seconds, tests } of timed) {
    const name = dirname(path);
    const room = rooms.get(name) ?? { files: 0, tests: 0, seconds: 0 };
    rooms.set(name, { files: room.files + 1, tests: room.tests + tests, seconds: room.seconds + seconds });
  }
  for (const [name, { files, tests, seconds }] of [...rooms].sort(([, a], [, b]) => b.seconds - a.seconds)) {
    console.log(`${name}: ${Math.round(seconds)} s in ${files} file${files === 1 ? "" : "s"}, ${tests} tests`);
  }
  console.log("\nThe files that took longest:");
  for (const { path, seconds } of timed.sort((a, b) => b.seconds - a.seconds).slice(0, 15)) {
    console.log(`${path}: ${Math.round(seconds)} s`);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
