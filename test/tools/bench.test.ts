import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(__dirname, "../..");

it("the benchmarks run, and print one table of seconds, bytes and ratios", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, "bench/main.mts"), "--quick", "--only", "client,cold-start,waiting,engine,growth"],
    { encoding: "utf8", cwd: root },
  );
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  const table = stdout.slice(stdout.indexOf("| measure | figure | spread | goal |"));
  for (const program of ["floor", "keys", "keySet"]) {
    expect(table).toMatch(
      new RegExp(`^\\| ${program}, 5 keys, checkpoints skipped, seconds \\| up \\d+\\.\\d, no-op up \\d+\\.\\d`, "m"),
    );
  }
  expect(table).toMatch(/^\| no-op up of 5, keys ÷ floor, checkpoints skipped, elapsed time \| \d+\.\d\d \|/m);
  expect(table).toMatch(/^\| client, import, 8 parallel, operations a second, ÷ @azure\/keyvault-keys \| \d+\.\d \|/m);
  expect(table).toMatch(/^\| provider's process, start to the first check, ours ÷ floor \| \d\.\d\d \|/m);
  expect(table).toMatch(
    /^\| 12 keys that wait 2 s for busy names: share of a core; growth of memory \| \d+\.\d\d %; /m,
  );
  expect(table).toMatch(/^\| KeySet of 5: up, no-op up, refresh, raw paging in seconds; provider's peak \| /m);
}, 240_000);
