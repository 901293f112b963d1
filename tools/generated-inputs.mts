import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

// npm run generated-inputs -- --inputs N --seed N: generated material, resource inputs, identifiers, answers of a vault,
// previews and inventories. Each ends in time, with a result or with a coded failure.

const { values } = parseArgs({ options: { inputs: { type: "string" }, seed: { type: "string" } } });
const root = join(import.meta.dirname, "..");
const suites = ["test/generated", "test/provider/generated-inputs.test.ts", "test/material/generated-material.test.ts"];
const { status } = spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...suites], {
  cwd: root,
  stdio: "inherit",
  env: {
    ...process.env,
    ...(values.inputs === undefined ? {} : { GENERATED_INPUTS: values.inputs }),
    ...(values.seed === undefined ? {} : { GENERATED_SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;
