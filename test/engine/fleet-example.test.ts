import { spawn } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { type CommandRun, ended } from "../cli/command-line.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/fleet");
const readme = new ReadmeCommands("examples/fleet/README.md");
const VAULTS = ["eu", "uk", "us", "jp", "au"];

let project: Stack;

/** The example as it is, on five embedded vaults. */
beforeAll(async () => {
  project = await Stack.create({ program: "" });
  for (const file of [
    "index.js",
    "keys.js",
    "fleet.js",
    "vaults.json",
    "package.json",
    "jsconfig.json",
    "Pulumi.yaml",
  ]) {
    await cp(join(EXAMPLE, file), join(project.folder, file));
  }
});
afterAll(() => project?.remove());

/** `node fleet.js …` */
async function fleet(...args: string[]): Promise<CommandRun & { text: string }> {
  const child = spawn(process.execPath, ["fleet.js", ...args], {
    cwd: project.folder,
    env: { ...process.env, ...project.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const run = await ended(child);
  return { ...run, text: run.stdout + run.stderr };
}

/** As somebody with a portal changes one of the vaults. */
async function byHand(name: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const vault = await startEmulator({ store: join(project.folder, `${name}.vault`) });
  try {
    return await vaultCaller(vault)(method, path, body);
  } finally {
    await vault.close();
  }
}

it("up runs every stack, a few at a time, and a stack that fails keeps none of the others", async () => {
  const vaults = join(project.folder, "vaults.json");
  const healthy = await readFile(vaults, "utf8");
  await writeFile(vaults, healthy.replace("embedded:./jp.vault", "embedded:./nowhere/jp.vault"));
  const partly = await readme.run(project, "node fleet.js up", 1);
  expect(partly.text).toMatch(/^jp: FAILED: .*KV_/m);
  expect(partly.text).toMatch(/up: 4 of 5 stacks done, 1 failed, 0 not begun: mend it and add --resume/);

  await writeFile(vaults, healthy);
  const resumed = await readme.run(project, "node fleet.js up --resume");
  expect(resumed.text).toMatch(/^4 done before, 1 to go\njp: 3 create/m);
  expect(resumed.text).toMatch(/up: 1 of 1 stacks done$/m);
  for (const name of VAULTS) {
    const { value } = (await byHand(name, "GET", "/keys")) as { value: unknown[] };
    expect(value).toHaveLength(2);
  }
});

it("drift is one report with one exit code, and compare tells in what one vault differs", async () => {
  expect(await fleet("compare")).toMatchObject({ exitCode: 0, stdout: "compare: 5 vaults, 0 differences\n" });
  await byHand("us", "PATCH", "/keys/orders-wrapping", { tags: { fleet: "somebody else's" } });
  const drift = await readme.run(project, "node fleet.js drift", 7);
  expect(drift.text).toMatch(/us: Key wrapping/);
  expect(drift.text).toContain("tags.fleet");
  const compared = await readme.run(project, "node fleet.js compare", 7);
  expect(compared.text).toContain('us: tags of orders-wrapping is {"fleet":"somebody else\'s"}');
});

it("up of one vault alone repairs it, and destroy ends with none of the keys", async () => {
  // A PATCH by hand took the mark off, too: the stack's state knows the key.
  expect((await fleet("up", "--only", "eu,us", "--parallel", "2")).exitCode).toBe(0);
  const destroyed = await readme.run(project, "node fleet.js destroy");
  expect(destroyed.text).toMatch(/destroy: 5 of 5 stacks done$/m);
  expect(readme.left).toEqual([]);
  const { value } = (await byHand("us", "GET", "/keys")) as { value: unknown[] };
  expect(value).toEqual([]);
});

it.each([
  [["up", "--only", "eu,mars"], "vaults.json has no mars"],
  [["up", "--parallel", "0"], "--parallel is a number of stacks"],
  [["upp"], 'there is no command "upp"'],
])("%j is wrong usage", async (args, words) => {
  const run = await fleet(...args);
  expect(run.stderr).toContain(words);
  expect(run.exitCode).toBe(2);
});
