import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { writeFigures } from "../../bench/written-page.mts";
import { quickStartSettings } from "../engine/quick/quick-settings.js";

const root = resolve(__dirname, "../..");

it("the benchmarks run, and print one table of seconds, bytes and ratios", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, "bench/main.mts"), "--quick", "--only", "client,cold-start,waiting,engine,growth,fleet"],
    { encoding: "utf8", cwd: root, env: { ...process.env, ...quickStartSettings(process.env) } },
  );
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  const table = stdout.slice(stdout.indexOf("| measure | figure | spread | goal |"));
  for (const program of ["floor", "keys", "keySet"]) {
    expect(table).toMatch(
      new RegExp(`^\\| ${program}, 5 keys, checkpoints skipped, seconds \\| up \\d+\\.\\d, no-op up \\d+\\.\\d`, "m"),
    );
    expect(table).toMatch(new RegExp(`^\\| ${program}, bytes of state a key \\| \\d+ \\| \\d+ to \\d+ \\|`, "m"));
  }
  expect(table).toMatch(/^\| no-op up of 5, keys ÷ floor, checkpoints skipped, elapsed time \| \d+\.\d\d \|/m);
  expect(table).toMatch(/^\| client, import, 8 parallel, operations a second, ÷ @azure\/keyvault-keys \| \d+\.\d \|/m);
  expect(table).toMatch(/^\| provider's process, start to the first check, ours ÷ floor \| \d\.\d\d \|/m);
  expect(table).toMatch(
    /^\| 12 keys that wait 2 s for busy names: share of a core; growth of memory \| \d+\.\d\d %; /m,
  );
  expect(table).toMatch(
    /^\| 2 stacks of 2 keys, four at a time; memory of all processes \| up \d+ s, \d+ MB; no-op up /m,
  );
  expect(table).toMatch(/^\| KeySet of 5: up, no-op up, refresh, raw paging in seconds; provider's peak \| /m);
}, 600_000);

it.each([
  ["main", ["--only", "engine,growht"], "--only takes emulator, listing, client, cold-start"],
  ["main", ["--rounds", "x"], '--rounds takes numbers of 1 and more, and not "x"'],
  ["main", ["--write", "--quick"], "--write writes what all benchmarks have measured"],
  ["main", ["--fast"], "Unknown option '--fast'"],
  ["main", ["growth"], "Unexpected argument 'growth'"],
  ["engine.bench", ["--keys", "500;5"], '--keys takes numbers of 1 and more, and not "500;5"'],
  ["engine.bench", ["--programs", "floor,toString"], '--programs takes floor, plain, keys, keySet, and not "toString"'],
  ["growth.bench", ["--singles", "0"], '--singles takes numbers of 1 and more, and not "0"'],
  ["fleet.bench", ["--vaults", "1,2"], "--vaults takes one number"],
])("%s %j is wrong usage, in one line", (name, args, words) => {
  const run = spawnSync(process.execPath, [join(root, `bench/${name}.mts`), ...args], { encoding: "utf8", cwd: root });
  expect(run.stderr).toMatch(/^\w+(?:\.bench)?\.mts: [^\n]+\n$/);
  expect(run.stderr).toContain(words);
  expect(run).toMatchObject({ status: 2, stdout: "" });
});

it("figures are written into the page in the place of those before, and all else stays", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyvault-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const page = join(folder, "performance.md");
  copyFileSync(join(root, "docs/performance.md"), page);
  const before = readFileSync(page, "utf8");
  const machine = { node: "v1", sdk: "2", engine: "3", cores: 4, platform: "linux" };
  const write = (figure: string, ...more: string[]) =>
    writeFigures(
      page,
      ["engine", ...more].map((name) => ({
        name,
        rows: [{ measure: "up", figure, spread: "0.4 to 0.8", goal: "at most 1" }],
      })),
      machine,
      "npm run bench",
    );
  write("0.5", "growth");
  write("0.7");
  const after = readFileSync(page, "utf8");
  expect(after).toContain("| up | 0.7 | 0.4 to 0.8 | at most 1 |");
  expect(after).not.toContain("| 0.5 |");
  expect(after).not.toContain("performance.svg");
  const around = (text: string) => text.split(/<!-- [^>]*(?:begin|end) here\. -->/);
  expect(around(after)).toHaveLength(3);
  expect([around(after)[0], around(after)[2]]).toEqual([around(before)[0], around(before)[2]]);
});
