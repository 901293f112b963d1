import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(__dirname, "../..");

it("the benchmark on the engine runs, and tells seconds, bytes and ratios", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, "bench/engine.bench.mts"), "--quick", "--programs", "floor,keys,keySet"],
    { encoding: "utf8", cwd: root },
  );
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  for (const program of ["floor", "keys", "keySet"]) {
    expect(stdout).toMatch(new RegExp(`^\\| ${program} \\| skipped \\|( \\d+\\.\\d \\|){4} \\d+ \\|$`, "m"));
  }
  expect(stdout).toMatch(/^\| keys ÷ floor \| skipped \| no-op up \| \d+\.\d\d \(/m);
}, 240_000);
