import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTATIONS } from "../test/simulation/mutations.mts";

// npm run simulate -- --seed N --runs N [--path P]: random histories of keys, secrets and backups, on virtual time.
// npm run simulate -- --mutate [--seed N] [--runs N]: the same with one mistake after the other in the provider.

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string" },
    path: { type: "string" },
    mutate: { type: "boolean", default: false },
  },
});
const root = join(import.meta.dirname, "..");

function simulate(args: string[], env: Record<string, string>, stdio: "inherit" | "pipe") {
  return spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "--no-color", ...args], {
    cwd: root,
    stdio,
    encoding: "utf8",
    env: {
      ...process.env,
      ...(values.seed === undefined ? {} : { SIMULATION_SEED: values.seed }),
      ...(values.runs === undefined ? {} : { SIMULATION_RUNS: values.runs }),
      ...(values.path === undefined ? {} : { SIMULATION_PATH: values.path }),
      ...env,
    },
  });
}

/** Each mistake has to be found, and the word of the broken promise says by what. */
function findMutations(): number {
  let missed = 0;
  for (const [index, { name }] of MUTATIONS.entries()) {
    const { stdout, stderr, status } = simulate(
      ["--config", "test/simulation/mutated.config.mts", "--testNamePattern", "keeps every promise"],
      { SIMULATION_RUNS: values.runs ?? "10000", SIMULATION_MUTATION: String(index), SIMULATION_SHRINKS: "false" },
      "pipe",
    );
    const told = `${stdout}${stderr}`;
    const runs = /Property failed after (\d+) tests/.exec(told)?.[1];
    const promise = /Caused by: Error: (.*)/.exec(told)?.[1];
    if (runs === undefined) missed += 1;
    process.stdout.write(
      `${name}: ${runs === undefined ? `NOT FOUND (${status === 0 ? "no promise broke" : "it did not run"})` : `found in run ${runs} (${promise})`}\n`,
    );
  }
  return missed;
}

process.exitCode = values.mutate ? findMutations() : (simulate(["test/simulation"], {}, "inherit").status ?? 1);
