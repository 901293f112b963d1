import { appendFileSync, readFileSync } from "node:fs";

/** A line of the table that `npm run bench` prints at its end. */
export interface Row {
  measure: string;
  figure: string;
  /** The least and the most of the rounds, or that there was one only. */
  spread: string;
  /** What has to be reached. */
  goal?: string;
  /** Of a line on an `up` in the default settings: what another benchmark of the same run need not measure again. */
  up?: { program: string; keys: number; elapsed: number; processor: number; providerPeak: number };
}

/** Adds a line to the table, where a benchmark runs as a part of all of them. Alone it only prints. */
export function record(row: Row): void {
  const file = process.env.BENCH_RECORD;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** What the benchmarks before have added to the table in this run. */
export function recordedRows(file = process.env.BENCH_RECORD): Row[] {
  if (file === undefined) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Row => JSON.parse(line));
}

/** The spread of a line that has no rounds. */
export const ONCE = "once";

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function spread(numbers: readonly number[], digits = 2): string {
  return `${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)}`;
}
