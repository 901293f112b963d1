import type { SeededRandom } from "../seeded-random.js";

/** How long the service's asynchronous windows take: not at all, long enough to be seen, or as recorded. */
export type TimingMode = "instant" | "short" | "recorded";

/** Windows in milliseconds. */
export interface Timing {
  /** DELETE answered → the deleted object can be read. */
  deleting(collection: "keys" | "secrets"): number;
  /** recover answered → the object can be read again. */
  recovering(collection: "keys" | "secrets"): number;
  /** the recovered object can be read → it can be written to. */
  recoveringWrites(collection: "keys" | "secrets"): number;
  /** purge answered → a backup of that name can be restored. */
  purging(collection: "keys" | "secrets"): number;
}

/** Seconds at p0, p50, p90, p99 and p100 of what was recorded. */
type Percentiles = readonly [number, number, number, number, number];
const recorded: Record<"deleting" | "recovering" | "purging", Record<"keys" | "secrets", Percentiles>> = {
  deleting: { keys: [1, 16, 34, 83, 139], secrets: [1, 16, 34, 113, 149] },
  recovering: { keys: [2, 18, 30, 74, 90], secrets: [2, 17, 27, 72, 81] },
  purging: { keys: [5, 20, 31, 66, 66], secrets: [5, 19, 30, 69, 69] },
};
const ranks: Percentiles = [0, 0.5, 0.9, 0.99, 1];

/** The service finishes its write path a little after reads work; nobody has measured by how much. */
const recoveringWriteMilliseconds = 10_000;

export function createTiming(mode: TimingMode | Timing, random: SeededRandom, plane: "vault" | "managedhsm"): Timing {
  if (typeof mode !== "string") return mode;
  if (mode === "instant" || plane === "managedhsm") return fixed(0, 0, 0, 0);
  if (mode === "short") return fixed(300, 300, 200, 300);
  const draw = (window: keyof typeof recorded) => (collection: "keys" | "secrets") =>
    Math.round(1000 * interpolate(recorded[window][collection], random.next()));
  return {
    deleting: draw("deleting"),
    recovering: draw("recovering"),
    recoveringWrites: () => recoveringWriteMilliseconds,
    purging: draw("purging"),
  };
}

function fixed(deleting: number, recovering: number, recoveringWrites: number, purging: number): Timing {
  return {
    deleting: () => deleting,
    recovering: () => recovering,
    recoveringWrites: () => recoveringWrites,
    purging: () => purging,
  };
}

function interpolate(percentiles: Percentiles, rank: number): number {
  let low = 0;
  while (low < 3 && rank > (ranks[low + 1] ?? 1)) low += 1;
  const from = ranks[low] ?? 0;
  const to = ranks[low + 1] ?? 1;
  const start = percentiles[low] ?? 0;
  const end = percentiles[low + 1] ?? start;
  return start + ((rank - from) / (to - from)) * (end - start);
}
