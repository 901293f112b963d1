import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTATIONS } from "../test/simulation/mutations.mts";
import type { Outcome, Slice } from "../test/simulation/simulated-slice.js";

// npm run simulate -- --seed N --runs N [--at-once N] [--path P]: random histories of keys, secrets and backups, on virtual time.
// npm run simulate -- --mutate [--seed N] [--runs N]: the same with one mistake after the other in the provider.
// npm run simulate -- --twice [--seed N] [--runs N]: each history twice, which has to send the same requests.

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string" },
    path: { type: "string" },
    "at-once": { type: "string", default: "1" },
    mutate: { type: "boolean", default: false },
    twice: { type: "boolean", default: false },
  },
});
/** What one seed draws at most: a longer run goes on with the next seed. */
const RUNS_OF_A_SEED = 2_500;
const seed = Number(values.seed);

/** A process that simulates, with the nth mistake in its provider. */
function startSimulating(mutation?: number): ChildProcess {
  const entry = join(import.meta.dirname, "../test/simulation/simulate-slice.mts");
  const execArgv = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=64"];
  return fork(entry, mutation === undefined ? [] : [String(mutation)], { execArgv });
}

function simulated(child: ChildProcess, slice: Slice): Promise<Outcome> {
  return new Promise((resolve) => {
    const ended = () => resolve({ failure: "the process that simulated has ended" });
    child.once("exit", ended);
    child.once("message", (outcome: Outcome) => {
      child.off("exit", ended);
      resolve(outcome);
    });
    child.send(slice);
  });
}

/** Ends with the first slice in which a promise is broken. */
async function simulateAll(runs: number): Promise<boolean> {
  const startedAt = performance.now();
  let next = 0;
  let done = 0;
  let hasFailed = false;
  const work = async (): Promise<void> => {
    const child = startSimulating();
    while (next * RUNS_OF_A_SEED < runs && !hasFailed) {
      const ofSeed = seed + next;
      const count = Math.min(RUNS_OF_A_SEED, runs - next * RUNS_OF_A_SEED);
      next += 1;
      const slice = { seed: ofSeed, runs: count, path: values.path, shrinks: true, isRepeated: values.twice };
      const { failure } = await simulated(child, slice);
      if (failure === undefined) {
        done += count;
        const seconds = Math.round((performance.now() - startedAt) / 1000);
        process.stdout.write(`seed ${ofSeed}: ${count} runs, nothing wrong (${done} of ${runs} in ${seconds} s)\n`);
      } else {
        hasFailed = true;
        process.stdout.write(`seed ${ofSeed}: ${failure}\n`);
      }
    }
    child.kill();
  };
  await Promise.all(Array.from({ length: Number(values["at-once"]) }, work));
  return !hasFailed;
}

/** Each mistake has to be found, and the word of the broken promise says by what. */
async function findMutations(runs: number): Promise<boolean> {
  let missed = 0;
  for (const [index, { name }] of MUTATIONS.entries()) {
    const child = startSimulating(index);
    const { failure } = await simulated(child, { seed, runs, shrinks: false, isRepeated: false });
    child.kill();
    const run = /Property failed after (\d+) tests/.exec(failure ?? "")?.[1];
    const promise = /BrokenPromise: (.*)|Error: (.*)/.exec(failure ?? "")?.[0];
    if (run === undefined) missed += 1;
    const found =
      run === undefined ? `NOT FOUND (${failure ?? "no promise broke"})` : `found in run ${run} (${promise})`;
    process.stdout.write(`${name}: ${found}\n`);
  }
  return missed === 0;
}

const isRight = values.mutate
  ? await findMutations(Number(values.runs ?? 10_000))
  : await simulateAll(Number(values.runs ?? 2_000));
process.exitCode = isRight ? 0 : 1;
