/**
 * npm run bench: all benchmarks after each other, and one table of their figures at the end.
 *
 *   --quick         shows that it runs, all but limits, which take minutes; its figures mean nothing
 *   --rounds N      rounds on the engine, whose medians are told (default 5)
 *   --only A,B      of emulator, listing, client, cold-start, waiting, engine, growth, fleet, limits
 *   --json FILE     writes the table, with versions
 *   --svg FILE      draws the time of an `up` over the number of keys
 *   --write         writes the figures into docs/performance.md, docs/performance.json and docs/performance.svg
 *
 * On a quiet machine of two cores it takes three quarters of an hour, half of it for the engine's own writing of state
 * for `floor` and `plain`.
 * Ratios are within one run. Materials are made anew in each run; nothing else is random.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { provisionEngine } from "../tools/engine/provision.mts";
import { countOf, namesOf, optionsOf, refuse } from "./options.mts";
import { recordedRows } from "./record.mts";
import { type Part, tableOf, writeFigures } from "./written-page.mts";

const values = optionsOf({
  quick: { type: "boolean", default: false },
  rounds: { type: "string", default: "5" },
  only: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
  write: { type: "boolean", default: false },
});
if (values.write && (values.quick || values.only !== undefined)) {
  refuse("--write writes what all benchmarks have measured: it goes with neither --quick nor --only");
}
countOf("--rounds", values.rounds);
const docs = join(import.meta.dirname, "..", "docs");
const svg = values.svg ?? (values.write ? join(docs, "performance.svg") : undefined);
const QUICK = values.quick ? ["--quick"] : [];
const benchmarks: Record<string, readonly string[]> = {
  emulator: [],
  listing: [],
  client: [],
  "cold-start": QUICK,
  waiting: QUICK,
  engine: values.quick ? QUICK : ["--rounds", values.rounds],
  growth: [...QUICK, ...(svg === undefined ? [] : ["--svg", svg])],
  fleet: QUICK,
  ...(values.quick ? {} : { limits: [] }),
};

const only = values.only === undefined ? undefined : namesOf("--only", values.only, Object.keys(benchmarks));

const folder = mkdtempSync(join(tmpdir(), "keyvault-bench-"));
const recorded = join(folder, "rows.jsonl");
writeFileSync(recorded, "");
const failed: string[] = [];
const parts: Part[] = [];
for (const [name, args] of Object.entries(benchmarks)) {
  if (only !== undefined && !only.includes(name)) continue;
  console.log(`\n== ${name}\n`);
  const before = recordedRows(recorded).length;
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.bench.mts`), ...args], {
    stdio: "inherit",
    env: {
      ...process.env,
      BENCH_RECORD: recorded,
      ...(values.quick ? { BENCH_SLICE_MS: "5", BENCH_ROUNDS: "1" } : {}),
    },
  });
  if (status !== 0) failed.push(name);
  parts.push({ name, rows: recordedRows(recorded).slice(before) });
}
const rows = recordedRows(recorded);
rmSync(folder, { recursive: true, force: true });

const { version: sdk } = createRequire(import.meta.url)("@pulumi/pulumi/package.json") as { version: string };
const { version: engine } = await provisionEngine();
const machine = { node: process.version, sdk, engine, cores: cpus().length, platform: process.platform };
console.log(`\nNode ${machine.node}, @pulumi/pulumi ${sdk}, engine ${engine}, ${machine.cores} cores\n`);
console.log(tableOf(rows));
if (failed.length > 0) console.log(`\nNot measured, or above a limit: ${failed.join(", ")}`);
const json = values.json ?? (values.write ? join(docs, "performance.json") : undefined);
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, rows, failed }, undefined, 2)}\n`);
if (values.write) {
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
  writeFigures(join(docs, "performance.md"), parts, machine, command);
}
process.exitCode = failed.length > 0 ? 1 : 0;
