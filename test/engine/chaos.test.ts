import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runChaos } from "../chaos/chaos-run.js";

/** `npm run chaos -- --seed N --rounds N` sets these. */
const seed = process.env.CHAOS_SEED ?? "1";
const rounds = Number(process.env.CHAOS_ROUNDS ?? 30);
const atOnce = Number(process.env.CHAOS_AT_ONCE ?? 3);
const size =
  process.env.CHAOS_SIZE === "large" ? { keys: 20, secrets: 4, backups: 4 } : { keys: 3, secrets: 1, backups: 1 };
const log = process.env.CHAOS_LOG;

describe("a program whose runs are struck at random moments", () => {
  it(
    "is exactly as declared after the next up, with each version made once",
    async () => {
      const done = await runChaos({
        seed,
        rounds,
        atOnce,
        size,
        onRound: (round) => log !== undefined && appendFileSync(log, `${JSON.stringify(round)}\n`),
      });
      const wrong = done.flatMap((round) =>
        round.wrong.map((what) => `round ${round.round} of seed ${round.seed}: ${what}`),
      );
      expect(wrong).toEqual([]);
      expect(done).toHaveLength(rounds);
    },
    rounds * 180_000,
  );
});
