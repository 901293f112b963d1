import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

// npm run simulate -- --seed N --runs N [--path P]: random histories of keys, secrets and backups, on virtual time.

const { values } = parseArgs({
  options: { seed: { type: "string" }, runs: { type: "string" }, path: { type: "string" } },
});
const root = join(import.meta.dirname, "..");
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/simulation"],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      ...(values.seed === undefined ? {} : { SIMULATION_SEED: values.seed }),
      ...(values.runs === undefined ? {} : { SIMULATION_RUNS: values.runs }),
      ...(values.path === undefined ? {} : { SIMULATION_PATH: values.path }),
    },
  },
);
process.exitCode = status ?? 1;
