import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { linkCommand } from "./guide-walk.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/adopt");

const readme = new ReadmeCommands("examples/adopt/README.md");

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of ["seed.json", "Pulumi.yaml", "tsconfig.json"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
  await linkCommand(stack.folder);
  await readme.runUntilCtrlC(stack, "npx pulumi-keyvault emulator");
});
afterAll(() => stack?.remove());

it("adopt writes the program that the example shows", async () => {
  await readme.run(stack, "npx pulumi-keyvault adopt");
  const withoutDates = (text: string): string => text.replace(/made on [\d-]+/g, "made on a day");
  const written = await readFile(join(stack.folder, "index.ts"), "utf8");
  expect(withoutDates(written)).toBe(withoutDates(await readFile(join(EXAMPLE, "index.ts"), "utf8")));
});

it("what it wrote is imported as it stands, and the next preview is clean", async () => {
  await readme.run(stack, "pulumi import");
  expect((await readme.run(stack, "pulumi preview")).text).toMatch(/\d+ unchanged/);
});

it("that is all its README says", () => {
  expect(readme.left).toEqual([]);
});
