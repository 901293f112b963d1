import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineUnavailableError, provisionEngine } from "../../tools/engine/provision.mjs";
import { CLI_VERSION, OLDEST_CLI_VERSION } from "../../tools/engine/versions.mjs";
import { type FakeMachine, fakeMachine } from "./fake-machine.js";

// Each test starts processes, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

let machine: FakeMachine;
beforeEach(async () => {
  machine = await fakeMachine();
});
afterEach(() => machine.remove());

const provision = () => provisionEngine(machine);

describe("an engine on PATH", () => {
  test("is used when it is new enough and has its language host beside it", async () => {
    await machine.addEngine(machine.bin, "3.260.1");
    expect(await provision()).toMatchObject({ source: "path", version: "3.260.1", binDir: machine.bin });
  });

  test("is used when its language host is elsewhere on PATH", async () => {
    const elsewhere = join(machine.engines, "..", "elsewhere");
    await machine.addEngine(machine.bin, OLDEST_CLI_VERSION);
    await machine.addEngine(elsewhere, OLDEST_CLI_VERSION);
    await rm(join(machine.bin, "pulumi-language-nodejs"));
    machine.env.PATH += `:${elsewhere}`;
    const engine = await provision();
    expect(engine).toMatchObject({ source: "path", folders: [machine.bin, elsewhere] });
    expect(engine.env.PATH).toContain(`${machine.bin}:${elsewhere}:`);
  });

  test("is passed over when it is too old", async () => {
    await machine.addEngine(machine.bin, "3.258.9");
    await expect(provision()).rejects.toThrow(/on PATH: .*pulumi is 3\.258\.9; 3\.259\.0 or newer is needed/);
  });

  test("is passed over when its language host is missing", async () => {
    await machine.addEngine(machine.bin, "3.260.0");
    await rm(join(machine.bin, "pulumi-language-nodejs"));
    await expect(provision()).rejects.toThrow(/pulumi-language-nodejs is neither beside it nor on PATH/);
  });

  test("is passed over when it does not run", async () => {
    await machine.addEngine(machine.bin, "3.260.0");
    await writeFile(join(machine.bin, "pulumi"), "#!/bin/sh\necho broken >&2\nexit 3\n");
    await expect(provision()).rejects.toThrow(/does not run: exit code 3\. broken/);
  });
});

describe("the oldest engine, asked for by name,", () => {
  const provisionOldest = () => provisionEngine({ ...machine, version: "oldest" });

  test("is not any other that is on PATH", async () => {
    await machine.addEngine(machine.bin, CLI_VERSION);
    await machine.addEngine(join(machine.engines, OLDEST_CLI_VERSION), OLDEST_CLI_VERSION);
    expect(await provisionOldest()).toMatchObject({ source: "cache", version: OLDEST_CLI_VERSION });
  });

  test("is the one on PATH where that is it", async () => {
    await machine.addEngine(machine.bin, OLDEST_CLI_VERSION);
    expect(await provisionOldest()).toMatchObject({ source: "path", version: OLDEST_CLI_VERSION });
  });

  test("is built of its own modules, and kept beside the newest", async () => {
    await machine.addGo();
    expect(await provision()).toMatchObject({ source: "go modules", version: CLI_VERSION });
    expect(await provisionOldest()).toMatchObject({ source: "go modules", version: OLDEST_CLI_VERSION });
    const folders = (await readdir(machine.engines)).filter((name) => !name.endsWith(".lock"));
    expect(folders).toEqual([OLDEST_CLI_VERSION, CLI_VERSION]);
  });
});

describe("an engine in the cache", () => {
  test("is used when the machine has none of its own", async () => {
    await machine.addEngine(join(machine.engines, CLI_VERSION), CLI_VERSION);
    expect(await provision()).toMatchObject({ source: "cache", version: CLI_VERSION });
    expect(machine.said).toEqual([]);
  });

  test("is made again when a part of it is missing", async () => {
    await machine.addEngine(join(machine.engines, CLI_VERSION), CLI_VERSION);
    await rm(join(machine.engines, CLI_VERSION, "pulumi-language-nodejs"));
    await machine.addGo();
    expect(await provision()).toMatchObject({ source: "go modules" });
  });

  test("is made again when it is of another version than its folder says", async () => {
    await machine.addEngine(join(machine.engines, CLI_VERSION), OLDEST_CLI_VERSION);
    await machine.addGo();
    expect(await provision()).toMatchObject({ source: "go modules", version: CLI_VERSION });
  });

  test("is made again when it does not run", async () => {
    await machine.addEngine(join(machine.engines, CLI_VERSION), CLI_VERSION);
    await writeFile(join(machine.engines, CLI_VERSION, "pulumi"), "half of a program");
    await machine.addGo();
    expect(await provision()).toMatchObject({ source: "go modules" });
    expect(await provision()).toMatchObject({ source: "cache" });
  });
});

describe("a build from Go modules", () => {
  test("takes what go.mod and go.sum name, whatever flags the user has set", async () => {
    machine.env.GOFLAGS = "-mod=mod -insecure";
    await machine.addGo();
    const engine = await provision();
    expect(engine).toMatchObject({ source: "go modules", version: CLI_VERSION });
    expect(await readdir(engine.binDir)).toEqual(["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]);
    for (const call of await machine.goCalls()) expect(call).toContain('"flags":"-mod=readonly"');
  });

  test("says which package it is at", async () => {
    await machine.addGo();
    await provision();
    expect(machine.said).toContainEqual(expect.stringMatching(/pulumi 3\.\d+\.\d built in \d+ s/));
  });

  test("tells a Go that is too old what to do", async () => {
    await machine.addGo({ version: "1.20.14" });
    await expect(provision()).rejects.toThrow(/go on PATH is 1\.20\.14: install Go 1\.26 or newer/);
  });

  test("leaves nothing behind when it fails", async () => {
    await machine.addGo({ failsAt: "build" });
    await expect(provision()).rejects.toThrow(
      /go build of pulumi-language-nodejs failed: # b; b\/b\.go:1: it cannot be done$/m,
    );
    expect(await readdir(machine.engines)).toEqual([`${CLI_VERSION}.lock`]);
  });

  test("is done once when two ask at the same time, and the other waits and says so", async () => {
    await machine.addGo();
    const engines = await Promise.all([provision(), provision()]);
    expect(engines.map((engine) => engine.source).sort()).toEqual(["cache", "go modules"]);
    expect((await machine.goCalls()).filter((call) => call.includes('"build"'))).toHaveLength(2);
    expect(machine.said).toContainEqual(expect.stringMatching(/^Another process is provisioning/));
  });

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "that is ended by %s is not used later, and the next process takes over at once",
    async (signal) => {
      await machine.addGo({ hangsAt: "build" });
      const child = provisionInAnotherProcess();
      const go = await vi.waitFor(() => machine.hangingGo(), { timeout: 60_000, interval: 50 });
      const ended = new Promise((resolve) => child.once("exit", (_code, by) => resolve(by)));
      child.kill(signal);
      expect(await ended).toBe(signal);
      if (signal === "SIGKILL") process.kill(go, "SIGKILL");
      await vi.waitFor(() => expect(() => process.kill(go, 0)).toThrow("ESRCH"), { timeout: 30_000 });
      expect(await readdir(machine.engines)).not.toContain(CLI_VERSION);

      await machine.addGo();
      expect(await provision()).toMatchObject({ source: "go modules" });
      expect(await readdir(machine.engines)).toEqual([CLI_VERSION, `${CLI_VERSION}.lock`]);
    },
  );

  function provisionInAnotherProcess() {
    const module = pathToFileURL(join(__dirname, "../../tools/engine/provision.mts")).href;
    const options = JSON.stringify({ env: machine.env, sites: machine.sites });
    const program = `import(${JSON.stringify(module)}).then((m) => m.provisionEngine(${options}))`;
    return spawn(process.execPath, ["-e", program], { stdio: "ignore" });
  }
});

describe("a machine where no way leads to an engine", () => {
  test("gets one error that lists each way and what to do", async () => {
    const error = await provision().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(EngineUnavailableError);
    expect(error).toMatchObject({
      attempts: [
        "on PATH: no pulumi on PATH",
        expect.stringMatching(/^in the cache: pulumi is missing in /),
        "from the official release: 127.0.0.1:47 is out of reach (ECONNREFUSED)",
        "from the go modules: no go on PATH: install Go 1.26 or newer from https://go.dev/dl/",
      ],
      message: expect.stringContaining("Do one of these"),
    });
  });

  test("gets a clear error when its cache folder cannot be made", async () => {
    await mkdir(join(machine.env.HOME ?? "", "cache"), { recursive: true });
    await writeFile(join(machine.env.HOME ?? "", "cache", "pulumi-keyvault"), "");
    await expect(provision()).rejects.toThrow(/the cache folder .* cannot be written/);
  });
});

test("the environment puts the engine and our Node first, and keeps the engine off the network", async () => {
  const folder = join(machine.engines, CLI_VERSION);
  await machine.addEngine(folder, CLI_VERSION);
  await chmod(folder, 0o755);
  const { env } = await provision();
  expect(env.PATH?.split(":").slice(0, 2)).toEqual([folder, join(process.execPath, "..")]);
  expect(env).toMatchObject({
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    HOME: machine.env.HOME,
  });
});
