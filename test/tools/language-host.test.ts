import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Language, LanguageHostUnavailableError, provisionLanguage } from "../../tools/engine/language-host.mjs";
import { type Engine, provisionEngine } from "../../tools/engine/provision.mjs";
import { CLI_VERSION } from "../../tools/engine/versions.mjs";
import { type FakeMachine, fakeMachine } from "./fake-machine.js";

// Each test starts processes, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let machine: FakeMachine;
let engine: Engine;
let hosts: string;
beforeEach(async () => {
  machine = await fakeMachine();
  hosts = join(machine.engines, "..", "language-hosts");
  await machine.addEngine(join(machine.engines, CLI_VERSION), CLI_VERSION);
  engine = await provisionEngine(machine);
});
afterEach(() => machine.remove());

const provision = (language: Language) => provisionLanguage(engine, language, machine);

async function addHost(folder: string, script = "#!/bin/sh\nexit 2\n"): Promise<void> {
  await writeFile(join(folder, "pulumi-language-yaml"), script);
  await chmod(join(folder, "pulumi-language-yaml"), 0o755);
}

test("the host beside the engine is used, and nothing is built", async () => {
  await addHost(engine.binDir);
  expect((await provision("yaml")).folders).toEqual([engine.binDir]);
  expect(machine.said).toEqual([]);
});

test("a host elsewhere on PATH is used, its folder after the engine's", async () => {
  await addHost(machine.bin);
  const found = await provision("yaml");
  expect(found.folders).toEqual([engine.binDir, machine.bin]);
  expect(found.env.PATH).toMatch(`${engine.binDir}:${machine.bin}:`);
});

test("a host that does not run is passed over", async () => {
  await addHost(machine.bin, "#!/bin/sh\necho broken >&2\nexit 3\n");
  await expect(provision("yaml")).rejects.toThrow(/on PATH: .*pulumi-language-yaml does not run: exit code 3\. broken/);
});

test("it is built once from its Go modules, which it says, and kept", async () => {
  await machine.addGo();
  const [folder] = (await provision("yaml")).folders.slice(1);
  expect(folder).toBe(join(hosts, "yaml-1.25.0"));
  expect(machine.said.at(0)).toMatch(/^Provisioning pulumi-language-yaml 1\.25\.0 from the go modules/);
  expect(machine.said.at(-1)).toMatch(/^pulumi-language-yaml 1\.25\.0 is ready/);
  const calls = (await machine.goCalls()).length;
  await provision("yaml");
  expect(await machine.goCalls()).toHaveLength(calls);
});

test("two that ask at the same time build it once", async () => {
  await machine.addGo();
  await Promise.all([provision("go"), provision("go")]);
  expect((await machine.goCalls()).filter((call) => call.includes('"build"'))).toHaveLength(1);
});

test("the Python host without the script that starts Python is not used", async () => {
  await machine.addGo();
  // The sources of the module are nowhere on this machine.
  await expect(provision("python")).rejects.toThrow(/pulumi-language-python-exec/);
  expect(await readdir(hosts)).toEqual(["python-3.68.0.lock"]);
});

test("a failed build leaves nothing behind, and tells what was tried and what to do", async () => {
  await machine.addGo({ failsAt: "build" });
  const error: unknown = await provision("yaml").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LanguageHostUnavailableError);
  expect(String(error)).toMatch(/from the go modules: go build of pulumi-language-yaml failed/);
  expect(String(error)).toMatch(/install Go and let it reach its module proxy/);
  expect(await readdir(hosts)).toEqual(["yaml-1.25.0.lock"]);
});

test("a machine without Go is told to install it", async () => {
  await rm(join(machine.bin, "go"), { force: true });
  await expect(provision("yaml")).rejects.toThrow(/no go on PATH: install Go 1\.\d+/);
});
