import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

/** In a process of its own, with nothing between the provider's modules: that is several times as quick. */
function simulate(...args: string[]): Promise<{ exitCode: unknown; told: string }> {
  const entry = join(__dirname, "../../tools/simulate.mts");
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, told: `${stdout}${stderr}` });
    });
  });
}

it("keeps every promise, whatever goes wrong in whatever order", async () => {
  const { exitCode, told } = await simulate("--seed", "1", "--runs", "2000");
  expect(exitCode, told).toBe(0);
}, 600_000);

it("gives the same requests for the same history", async () => {
  const { exitCode, told } = await simulate("--seed", "7", "--runs", "20", "--twice");
  expect(exitCode, told).toBe(0);
}, 120_000);

it("has a place in the source for each mistake that --mutate plants", async () => {
  const { MUTATIONS } = await import("./mutations.mts");
  for (const { file, find } of MUTATIONS) {
    expect((await readFile(join(__dirname, "../..", file), "utf8")).includes(find), `${file}: ${find}`).toBe(true);
  }
});
