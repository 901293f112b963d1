import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/key-set");

const readme = new ReadmeCommands("examples/key-set/README.md");

let stack: Stack;

/** The example as it is, on its own embedded vault. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of ["index.ts", "Pulumi.yaml", "tsconfig.json", "make-keys.mts"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
});
afterAll(() => stack?.remove());

it("the example keeps a folder of keys, grows with it, and stays clean without it", async () => {
  await readme.run(stack, "pulumi up");
  const names = ["gateway", "pump-1", "pump-2", "pump-3"];
  const before = await stack.outputs();
  expect(before).toMatchObject({ names, unmanaged: [] });
  expect(Object.keys(before.thumbprints as object)).toEqual(names);

  expect(JSON.parse((await readme.run(stack, "pulumi stack output")).stdout)).toEqual(before.thumbprints);

  const { text } = await readme.run(stack, "pulumi up");
  expect(text).toContain("27 made, 0 changed, 0 left the set, 4 as they were");
  const after = await stack.outputs();
  expect(after.pumpVersion).toBe(before.pumpVersion);
  expect(await readdir(join(stack.folder, "backup"))).toHaveLength(32);

  expect(readme.left).toEqual([]);

  await rm(join(stack.folder, "keys"), { recursive: true });
  const { run } = await stack.drift();
  expect(run.exitCode, run.text).toBe(0);
});
