import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FakeMachine, fakeMachine } from "./fake-machine.js";

// Each test starts processes, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

let machine: FakeMachine;
beforeEach(async () => {
  machine = await fakeMachine();
  // No way out: nothing listens there.
  machine.env.HTTPS_PROXY = "http://127.0.0.1:47";
});
afterEach(() => machine.remove());

const TOOL = join(__dirname, "../../tools/engine-env.mts");
const engineEnv = (...languages: string[]) =>
  promisify(execFile)(process.execPath, [TOOL, ...languages], { env: machine.env });

test("stdout holds shell lines and nothing else, while progress goes to stderr", async () => {
  await machine.addGo();
  const { stdout, stderr } = await engineEnv();
  for (const line of stdout.trimEnd().split("\n")) expect(line).toMatch(/^export [A-Z_]+=\S/);
  expect(stderr).toContain("is ready");
});

test("the passphrase is random, in a file of the user's alone, and the same next time", async () => {
  await machine.addEngine(machine.bin, "3.260.0");
  const { stdout } = await engineEnv();
  const file = /PULUMI_CONFIG_PASSPHRASE_FILE='([^']+)'/.exec(stdout)?.[1] ?? "";
  const passphrase = await readFile(file, "utf8");
  expect(passphrase).toMatch(/^[\w-]{32}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(stdout).not.toContain(passphrase);
  expect(await engineEnv()).toMatchObject({ stdout });
  expect(await readFile(file, "utf8")).toBe(passphrase);
});

test("the folder of the backend is there", async () => {
  await machine.addEngine(machine.bin, "3.260.0");
  const { stdout } = await engineEnv();
  const url = /PULUMI_BACKEND_URL='([^']+)'/.exec(stdout)?.[1] ?? "";
  expect((await stat(new URL(url))).isDirectory()).toBe(true);
});

test("the backend of a user who is logged in stands", async () => {
  await machine.addEngine(machine.bin, "3.260.0");
  const home = join(machine.env.HOME ?? "", ".pulumi");
  await mkdir(home);
  await writeFile(join(home, "credentials.json"), JSON.stringify({ current: "https://api.pulumi.com" }));
  expect((await engineEnv()).stdout).not.toContain("PULUMI_BACKEND_URL");
});

test("a machine without a way to an engine is told on stderr, with exit code 1", async () => {
  const failure = await engineEnv().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("What was tried:") });
  expect(failure).toMatchObject({ stderr: expect.not.stringContaining("    at ") });
});

test("for a language, its host and the plugin are on PATH, too", async () => {
  await machine.addEngine(machine.bin, "3.260.0");
  await machine.addGo();
  const { stdout } = await engineEnv("yaml");
  const folders = /export PATH='([^']+)'/.exec(stdout)?.[1]?.split(delimiter) ?? [];
  const has = async (name: string) =>
    (await Promise.all(folders.map((folder) => readdir(folder).catch((): string[] => [])))).some((files) =>
      files.includes(name),
    );
  expect(await has("pulumi-language-yaml")).toBe(true);
  expect(await has("pulumi-resource-keyvault")).toBe(true);
});

test("a language that there is not is refused with those that there are", async () => {
  await machine.addEngine(machine.bin, "3.260.0");
  const failure = await engineEnv("cobol").catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "cobol is not one of the languages yaml, python, go\n",
  });
});
