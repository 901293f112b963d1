import { spawnSync } from "node:child_process";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/key-set");
const PASS = { KEYS_PASS: "a passphrase" };

let stack: Stack;

/** The example as it is, on its own embedded vault. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "", env: PASS });
  for (const file of ["index.ts", "Pulumi.yaml", "tsconfig.json", "make-keys.mts"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
  await stack.pulumi("stack", "init", "dev");
});
afterAll(() => stack?.remove());

function makeKeys(count: number): void {
  const made = spawnSync(process.execPath, ["make-keys.mts", String(count)], {
    cwd: stack.folder,
    env: { ...process.env, ...PASS },
    encoding: "utf8",
  });
  expect(made.status, made.stderr).toBe(0);
}

it("the example keeps a folder of keys, grows with it, and stays clean without it", async () => {
  makeKeys(3);
  await stack.up();
  const names = ["gateway", "pump-1", "pump-2", "pump-3"];
  const before = await stack.outputs();
  expect(before).toMatchObject({ names, unmanaged: [] });
  expect(Object.keys(before.thumbprints as object)).toEqual(names);

  makeKeys(6);
  const { text } = await stack.up();
  expect(text).toContain("3 made, 0 changed, 0 left the set, 4 as they were");
  const after = await stack.outputs();
  expect(after.pumpVersion).toBe(before.pumpVersion);
  expect(await readdir(join(stack.folder, "backup"))).toHaveLength(8);

  await rm(join(stack.folder, "keys"), { recursive: true });
  expect((await stack.drift()).run.exitCode).toBe(0);
});
