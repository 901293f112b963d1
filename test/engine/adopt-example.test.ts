import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ended, runCommand, startCommand } from "../cli/command-line.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/adopt");

let stack: Stack;

/** The example's vault is filled as its README says. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of ["seed.json", "Pulumi.yaml", "tsconfig.json"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
  await stack.pulumi("stack", "init", "dev");
  const emulator = startCommand(["emulator", "--store", "adopt.vault", "--seed-from", "seed.json"], {
    cwd: stack.folder,
  });
  emulator.stdout?.once("data", () => emulator.kill("SIGINT"));
  expect((await ended(emulator)).exitCode).toBe(0);
});
afterAll(() => stack?.remove());

it("adopt writes the program that the example shows", async () => {
  const run = await runCommand(["adopt", "--vault", "embedded:./adopt.vault", "--force"], { cwd: stack.folder });
  expect(run.exitCode, run.stderr).toBe(0);
  const withoutDates = (text: string): string => text.replace(/made on [\d-]+/g, "made on a day");
  const written = await readFile(join(stack.folder, "index.ts"), "utf8");
  expect(withoutDates(written)).toBe(withoutDates(await readFile(join(EXAMPLE, "index.ts"), "utf8")));
});

it("what it wrote is imported as it stands, and the next preview is clean", async () => {
  const imported = await stack.pulumi(
    "import",
    "--file",
    "keyvault-import.json",
    "--yes",
    "--protect=false",
    "--generate-code=false",
  );
  expect(imported.exitCode, imported.text).toBe(0);
  const { run } = await stack.drift();
  expect(run.exitCode, run.text).toBe(0);
});
