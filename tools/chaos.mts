import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Round } from "../test/chaos/chaos-run.js";

// npm run chaos -- --seed N --rounds N [--size small] [--at-once N]: runs of a changing program, struck at random moments, on the real engine.
// A seed of N/M is the M-th stack of seed N alone.

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "1000" },
    size: { type: "string", default: "large" },
    "at-once": { type: "string", default: "1" },
  },
});
const root = join(import.meta.dirname, "..");
const log = join(mkdtempSync(join(tmpdir(), "chaos-log-")), "rounds.jsonl");
writeFileSync(log, "");
console.log(`Each round is written to ${log} as it ends.`);
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/engine/chaos.test.ts"],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      CHAOS_SEED: values.seed,
      CHAOS_ROUNDS: values.rounds,
      CHAOS_SIZE: values.size,
      CHAOS_AT_ONCE: values["at-once"],
      CHAOS_LOG: log,
    },
  },
);
const rounds = readFileSync(log, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line): Round => JSON.parse(line));
console.log(figures(rounds).join("\n"));
for (const { seed, round, wrong, texts } of rounds.filter(({ wrong }) => wrong.length > 0)) {
  console.log(`\nWrong in round ${round} of seed ${seed}:\n${wrong.join("\n")}\n\n${texts.join("\n\n")}`);
}
process.exitCode = status ?? 1;

function figures(rounds: readonly Round[]): string[] {
  const strikes = rounds.flatMap((round) => round.strikes);
  const struck = strikes.filter(({ isStruck }) => isStruck);
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  return [
    `rounds: ${rounds.length}, of them with something wrong: ${rounds.filter(({ wrong }) => wrong.length > 0).length}`,
    `changes of the program: ${sum(rounds.map(({ changes }) => changes.length))}`,
    `strikes before the run had ended: ${struck.length} of ${strikes.length} (${counted(struck.map(({ target }) => target))})`,
    `of them with PULUMI_SKIP_CHECKPOINTS=true: ${struck.filter(({ skipCheckpoints }) => skipCheckpoints).length}`,
    `checkpoints that were empty or half, and taken from their .bak: ${sum(rounds.map((round) => round.restoredCheckpoints))}`,
    `codes of the runs that were struck: ${counted(rounds.flatMap(({ codes }) => codes)) || "none"}`,
    `hours: ${(sum(rounds.map(({ milliseconds }) => milliseconds)) / 3_600_000).toFixed(2)}`,
  ];
}

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word} ${count}`).join(", ");
}
