import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect } from "vitest";
import { ownTimeSince } from "../material/own-time.js";

/** How many inputs there are over all suites, and from which seed: `npm run generated-inputs -- --inputs 1000000 --seed 7`. */
export const INPUTS = Number(process.env.GENERATED_INPUTS ?? 6_000);
export const SEED = Number(process.env.GENERATED_SEED ?? 20_261_127);

/** Which part of them each suite takes: what is read fast gets many. */
export const SHARES = {
  material: 0.5,
  checks: 0.35,
  identifiers: 0.1,
  driftReports: 0.01,
  inventories: 0.0125,
  programs: 0.01,
  answers: 0.0175,
} as const;

const MOST_MILLISECONDS = 50;
const MOST_GROWTH = 20 * 1024 * 1024;

/** What may go wrong with an input: a failure of ours, with a code. */
export function isCoded(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^KV_[A-Z_]+$/.test(String(error.code));
}

/**
 * Runs something over generated inputs: each ends within 50 ms of this thread's own time, in the best of eight, with a
 * result or with a coded failure, and nothing of it stays in memory.
 */
export async function survives<T>(
  inputs: fc.Arbitrary<T>,
  share: number,
  run: (input: T) => unknown,
  judge: (outcome: unknown) => void = () => {},
): Promise<void> {
  const property = fc.asyncProperty(inputs, async (input) => {
    let [took, outcome]: [number, unknown] = [Number.POSITIVE_INFINITY, undefined];
    for (let attempt = 0; attempt < 8 && took > MOST_MILLISECONDS; attempt++) {
      const start = process.threadCpuUsage();
      outcome = await settled(() => run(input));
      took = Math.min(took, ownTimeSince(start));
    }
    if (took > MOST_MILLISECONDS) throw new Error(`took ${Math.round(took)} ms`);
    if (outcome instanceof Error && !isCoded(outcome)) throw outcome;
    judge(outcome);
  });
  const numRuns = Math.max(100, Math.ceil(INPUTS * share));
  await holdsInFlatMemory(property, numRuns);
}

/** A property of generated inputs, of which nothing stays in memory. */
export async function holdsInFlatMemory<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  // Whatever is loaded or kept once is there after these.
  await fc.assert(property, { numRuns: 100, seed: SEED + 1 });
  const before = heapInUse();
  await fc.assert(property, { numRuns, seed: SEED });
  expect(heapInUse() - before).toBeLessThan(MOST_GROWTH);
}

async function settled(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error;
  }
}

function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

/** The time that a share of the inputs may take on a busy machine. */
export const timeoutFor = (share: number): number => Math.max(60_000, INPUTS * share * 60);
