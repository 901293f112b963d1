import { spawnSync } from "node:child_process";
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

/** In the order in which a failure is cheapest to learn of. Examples and tools see the package as users do: as built. */
const checks: readonly { name: string; check: () => Tally | Promise<Tally> }[] = [
  { name: "Build", check: () => node("tools/build.mts") },
  { name: "Types", check: () => npmBin("tsc", "-p", "tsconfig.json") },
  { name: "Types of the examples", check: examples },
  { name: "Format and lint", check: () => npmBin("biome", "ci", ".", "--diagnostic-level=warn") },
  { name: "Unused code and dependencies", check: () => npmBin("knip") },
  { name: "Package as publint sees it", check: () => npmBin("publint", "run", pack(), "--strict") },
  // An old resolver without `exports` is no aim: Node 22 is the oldest that we support.
  { name: "Package as TypeScript sees it", check: () => npmBin("attw", pack(), "--profile", "node16") },
  { name: "Pulumi engine", check: engine },
  { name: "Tests", check: tests },
];

rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });

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

function npmBin(program: string, ...args: string[]): Tally {
  return succeeds(join(root, "node_modules", ".bin", program), args) ? PASSED : FAILED;
}

function node(...args: string[]): Tally {
  return succeeds(process.execPath, args) ? PASSED : FAILED;
}

function succeeds(program: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error) console.error(error.message);
  return status === 0;
}

/** The package as npm would publish it, from what the build has just made. */
function pack(): string {
  const { stdout } = spawnSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", scratch], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    shell: process.platform === "win32",
  });
  const packed = z.array(z.looseObject({ filename: z.string() })).safeParse(parseJson(stdout));
  return join(scratch, packed.data?.[0]?.filename ?? "nothing-was-packed");
}

/** Each example is a project of its own. */
function examples(): Tally {
  const projects = globSync("examples/*/{ts,js}config.json", { cwd: root }).sort();
  const failed = projects.filter((project) => npmBin("tsc", "-p", project).failed > 0);
  return failed.length > 0 ? FAILED : PASSED;
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
  const passed = succeeds(join(root, "node_modules", ".bin", "vitest"), [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${results}`,
  ]);
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
