/**
 * npm run build && node bench/engine.bench.mts: what a resource costs on the real engine, as ratios within one run.
 *
 *   --keys N[,N…]   numbers of keys (default 500)
 *   --rounds N      rounds, whose medians are told (default 5)
 *   --programs A,B  of floor, plain, keys, keySet (default all)
 *   --quick         5 keys, one round, without checkpoints and `plain`: shows that it runs, and its figures mean nothing
 *   --json FILE     writes every measurement
 *
 * `floor` is a dynamic provider that does nothing, with our inputs and outputs; `plain` is what one writes on
 * `@azure/keyvault-keys`. The vault is a process of its own. "skipped" is with PULUMI_SKIP_CHECKPOINTS=true.
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { PROGRAMS, type ProgramName } from "./engine-programs.mts";
import type { Cost } from "./engine-project.mts";
import { countOf, countsOf, namesOf, optionsOf } from "./options.mts";
import { median, record, spread } from "./record.mts";
import { withVault } from "./vault-project.mts";

const values = optionsOf({
  keys: { type: "string" },
  rounds: { type: "string" },
  programs: { type: "string" },
  quick: { type: "boolean", default: false },
  json: { type: "string" },
});
const counts = countsOf("--keys", values.keys ?? (values.quick ? "5" : "500"));
const rounds = countOf("--rounds", values.rounds ?? (values.quick ? "1" : "5"));
const programs = namesOf(
  "--programs",
  values.programs ?? (values.quick ? "floor,keys,keySet" : Object.keys(PROGRAMS).join(",")),
  Object.keys(PROGRAMS) as ProgramName[],
);

type Mode = "default" | "skipped";
const modes: readonly Mode[] = values.quick ? ["skipped"] : ["default", "skipped"];
const STEPS = ["up", "no-op up", "refresh", "destroy"] as const;
type Step = (typeof STEPS)[number];

interface Measurement {
  program: ProgramName;
  mode: Mode;
  keys: number;
  round: number;
  steps: Record<Step, Cost>;
  bytesPerKey: number;
}

async function measure(program: ProgramName, mode: Mode, keys: number, round: number): Promise<Measurement> {
  const env: Record<string, string> = mode === "skipped" ? { PULUMI_SKIP_CHECKPOINTS: "true" } : {};
  return await withVault(PROGRAMS[program](keys), env, async (project) => {
    const up = await project.pulumi("up", "--yes", "--skip-preview");
    const bytesPerKey = Math.round(project.stateBytes / keys);
    const steps = {
      up,
      "no-op up": await project.pulumi("up", "--yes", "--skip-preview"),
      refresh: await project.pulumi("refresh", "--yes", "--skip-preview"),
      destroy: await project.pulumi("destroy", "--yes", "--skip-preview"),
    };
    return { program, mode, keys, round, steps, bytesPerKey };
  });
}

const measurements: Measurement[] = [];
for (const keys of counts) {
  for (let round = 1; round <= rounds; round++) {
    // One after the other in each round: what else the machine does strikes all of them alike.
    for (const mode of modes) {
      for (const program of programs) {
        process.stderr.write(`${keys} keys, round ${round} of ${rounds}, ${mode}: ${program}\n`);
        measurements.push(await measure(program, mode, keys, round));
      }
    }
  }
}

function of(program: ProgramName, mode: Mode, keys: number): Measurement[] {
  return measurements.filter((each) => each.program === program && each.mode === mode && each.keys === keys);
}

/**
 * The median of what each round says of two programs that ran beside each other, with the least and the most. Processor
 * time is what can be relied on where the machine has other work too.
 */
function ratiosOf(
  [a, b]: readonly [ProgramName, ProgramName],
  mode: Mode,
  keys: number,
  step: Step,
  cost: "elapsed" | "processor",
): number[] {
  const [above, below] = [of(a, mode, keys), of(b, mode, keys)];
  return above.map((each, index) => each.steps[step][cost] / (below[index]?.steps[step][cost] ?? Number.NaN));
}

/** What issue after issue is measured by: a ratio that has to be reached. */
const GOALS: [a: ProgramName, b: ProgramName, mode: Mode, step: Step, atMost: number][] = [
  ["keys", "floor", "default", "up", 1.03],
  ["keys", "floor", "skipped", "up", 1.2],
  ["keys", "floor", "skipped", "no-op up", 1.1],
  ["keys", "floor", "skipped", "refresh", 1.2],
  ["keys", "floor", "skipped", "destroy", 1.2],
  ["keys", "plain", "skipped", "no-op up", 1],
  ["keySet", "plain", "default", "up", 0.15],
];

const { version: sdk } = createRequire(import.meta.url)("@pulumi/pulumi/package.json") as { version: string };
console.log(`Node ${process.version}, @pulumi/pulumi ${sdk}, ${cpus().length} cores, medians of ${rounds}\n`);
for (const keys of counts) {
  console.log(`| ${keys} keys, seconds | state | ${STEPS.join(" | ")} | bytes per key |`);
  console.log(`|---|---|${STEPS.map(() => "---").join("|")}|---|`);
  for (const mode of modes) {
    for (const program of programs) {
      const all = of(program, mode, keys);
      const seconds = STEPS.map((step) => median(all.map(({ steps }) => steps[step].elapsed)).toFixed(1));
      const bytes = median(all.map(({ bytesPerKey }) => bytesPerKey));
      console.log(`| ${program} | ${mode} | ${seconds.join(" | ")} | ${bytes} |`);
      const elapsed = STEPS.map((step, index) => `${step} ${seconds[index]}`).join(", ");
      const ranges = STEPS.map(
        (step) =>
          `${step} ${spread(
            all.map(({ steps }) => steps[step].elapsed),
            1,
          )}`,
      ).join(", ");
      const ups = all.map(({ steps }) => steps.up);
      const up = {
        program,
        keys,
        elapsed: median(ups.map((each) => each.elapsed)),
        processor: median(ups.map((each) => each.processor)),
        providerPeak: Math.max(...ups.map((each) => each.providerPeak)),
      };
      record({
        measure: `${program}, ${keys} keys, checkpoints ${mode}, seconds`,
        figure: elapsed,
        spread: ranges,
        ...(mode === "default" ? { up } : {}),
      });
      if (mode === "default" || modes.length === 1) {
        record({
          measure: `${program}, bytes of state a key`,
          figure: String(bytes),
          spread: spread(
            all.map(({ bytesPerKey }) => bytesPerKey),
            0,
          ),
          ...(program === "keys" ? { goal: "at most 1,900" } : {}),
        });
      }
    }
  }
  console.log("\n| ratio | state | step | elapsed (spread) | processor (spread) | goal |\n|---|---|---|---|---|---|");
  for (const [a, b, mode, step, atMost] of GOALS) {
    if (!programs.includes(a) || !programs.includes(b) || !modes.includes(mode)) continue;
    const cells = (["elapsed", "processor"] as const).map((cost) => {
      const ratios = ratiosOf([a, b], mode, keys, step, cost);
      return { figure: median(ratios).toFixed(2), spread: spread(ratios) };
    });
    const goal = `at most ${atMost}`;
    const shown = cells.map(({ figure, spread }) => `${figure} (${spread})`).join(" | ");
    console.log(`| ${a} ÷ ${b} | ${mode} | ${step} | ${shown} | ${goal} |`);
    for (const [index, cost] of ["elapsed", "processor"].entries()) {
      const cell = cells[index];
      if (cell)
        record({ measure: `${step} of ${keys}, ${a} ÷ ${b}, checkpoints ${mode}, ${cost} time`, ...cell, goal });
    }
  }
  console.log("");
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, sdk, rounds, measurements }, undefined, 2)}\n`);
}
