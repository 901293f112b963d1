import { spawn } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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
    "vaults.js",
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
function fleet(...args: string[]): Promise<CommandRun & { text: string }> {
  return fleetIn(project.folder, ...args);
}

async function fleetIn(folder: string, ...args: string[]): Promise<CommandRun & { text: string }> {
  const child = spawn(process.execPath, [join(project.folder, "fleet.js"), ...args], {
    cwd: folder,
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

it.each(["SIGINT", "SIGTERM"] as const)(
  "a run that gets %s ends by itself, and goes on with --resume",
  async (signal) => {
    const child = spawn(process.execPath, [join(project.folder, "fleet.js"), "up", "--parallel", "1"], {
      cwd: project.folder,
      env: { ...process.env, ...project.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.once("data", () => child.kill(signal));
    const run = await ended(child);
    expect(run.stdout).toMatch(/^up: [12] of 5 stacks done, [01] failed, 3 not begun: mend it and add --resume$/m);
    expect(run.exitCode).toBe(1);
    const resumed = await fleet("up", "--resume");
    expect(resumed.text).toMatch(/^[12] done before, [34] to go$/m);
    expect(resumed.exitCode).toBe(0);
    expect((await fleet("destroy")).exitCode).toBe(0);
  },
);

it("drift and compare read the vaults of another file, wherever they are started", async () => {
  await project.file("two.json", JSON.stringify({ north: "embedded:./north.vault", south: "embedded:./south.vault" }));
  expect((await fleet("up", "--vaults", "two.json")).text).toMatch(/^up: 2 of 2 stacks done$/m);
  await byHand("south", "PATCH", "/keys/orders-wrapping", { tags: { fleet: "somebody else's" } });
  const drift = await fleet("drift", "--vaults", "two.json");
  expect(drift.text).toMatch(/south: Key wrapping/);
  expect(drift.exitCode).toBe(7);
  const compared = await fleetIn(dirname(project.folder), "compare", "--vaults", join(project.folder, "two.json"));
  expect(compared.stdout).toContain('south: tags of orders-wrapping is {"fleet":"somebody else\'s"}');
  expect(compared.exitCode).toBe(7);
  expect((await fleet("destroy", "--vaults", "two.json")).exitCode).toBe(0);
});

it("compare names a vault that cannot be read, and differences are none then", async () => {
  await project.file(
    "gone.json",
    JSON.stringify({ north: "embedded:./north.vault", gone: "https://vault.example.com" }),
  );
  const run = await fleet("compare", "--vaults", "gone.json");
  expect(run.stdout).toMatch(/^gone: FAILED: .*vault\.example\.com.*\ncompare: 1 of 2 vaults could not be read\n$/);
  expect(run.exitCode).toBe(1);
});

it.each<[args: string[], words: string | RegExp, files?: Record<string, string>]>([
  [["up", "--only", "eu,mars"], "vaults.json has no mars: it has eu, uk, us, jp, au"],
  [["up", "--only", "toString"], "vaults.json has no toString"],
  [["up", "--only", ","], "vaults.json has no"],
  [["up", "--parallel", "0"], "--parallel is a number of stacks"],
  [["upp"], 'there is no command "upp": take up, destroy, drift or compare'],
  [[], "there is no command: take up"],
  [["up", "eu"], "one command at a time, without eu"],
  [["drift", "--resume"], "drift has nothing to resume"],
  [["up", "--fast"], "Unknown option '--fast': see node fleet.js --help"],
  [["up", "--parallel"], "argument missing: see node fleet.js --help"],
  [["up", "--resume=yes"], "does not take an argument: see node fleet.js --help"],
  [["up", "--vaults", "no-file.json"], /no-file\.json cannot be read \(ENOENT\): give the file/],
  [["up", "--vaults", "."], "cannot be read (EISDIR): give the file"],
  [["up", "--vaults", "bad.json"], /bad\.json is no JSON: write \{ "eu": "https:/, { "bad.json": '{ "eu": ' }],
  [["up", "--vaults", "list.json"], "list.json names no vault: write {", { "list.json": '["embedded:./eu.vault"]' }],
  [["drift", "--vaults", "none.json"], "none.json names no vault: write {", { "none.json": "{}" }],
  [["compare", "--vaults", "number.json"], '"eu" has no URL: write {', { "number.json": '{ "eu": 5 }' }],
  [
    ["up", "--vaults", "path.json"],
    '"../eu" is no name of a stack',
    { "path.json": '{ "../eu": "embedded:./eu.vault" }' },
  ],
  [["up", "--resume"], ".fleet-up.json cannot be read: run up without --resume", { ".fleet-up.json": '["eu' }],
])("%j is wrong usage, in one line", async (args, words, files = {}) => {
  for (const [name, text] of Object.entries(files)) await project.file(name, text);
  const run = await fleet(...args);
  expect(run.stderr).toMatch(/^fleet: [^\n]+\n$/);
  if (typeof words === "string") expect(run.stderr).toContain(words);
  else expect(run.stderr).toMatch(words);
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
});
