import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { MARK, markedProcesses } from "../chaos/marked-processes.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { DOORS, Stack } from "./stack.js";
import { call, keyClient, settingsFor } from "./vault-by-hand.js";

describe.each(DOORS)("a run that is killed in the middle of a create (%s)", (door) => {
  const material = rsaKey();
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      isProviderCold: true,
      door,
      program: 'new keyvault.Key("signing", { import: { file: "signing.pem" } });',
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("signing.pem", material.pkcs8);
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const official = () =>
    new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
  const keys = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of official().listPropertiesOfKeys()) names.push(name);
    return names;
  };

  it("leaves no material in state, and the next up takes over the key that was made", async () => {
    vault.faults.add({ kind: "latency", operation: "importKey", milliseconds: 600_000, times: 1 });
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: stack.env,
      detached: true,
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("close", done));
    await vi.waitFor(async () => expect(await keys()).toHaveLength(1), { timeout: 60_000, interval: 50 });
    // The whole group: the engine, the program and the provider die together, as in a machine that goes away.
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await ended;
    vault.faults.clear();

    await stack.pulumi("cancel", "--yes");
    const exported = (await stack.pulumi("stack", "export", "--show-secrets")).stdout;
    expect(exported).toContain("pending_operations");
    expect(material.canaries.filter((canary) => exported.includes(canary))).toEqual([]);

    await stack.up();
    const [name = "", ...others] = await keys();
    expect(others).toEqual([]);
    const versions: string[] = [];
    for await (const { version } of official().listPropertiesOfKeyVersions(name)) versions.push(version ?? "");
    expect(versions).toHaveLength(1);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });
});

describe("a run that writes its state once, at its end, and is killed before", () => {
  const sources = (turn: number) => [
    `new keyvault.Key("imported", { name: "imported", import: { file: "imported.${turn}.pem" } });`,
    `new keyvault.Key("generated", { name: "generated", generate: { keyType: "EC", keepers: { turn: "${turn}" } } });`,
    `new keyvault.Secret("secret", { name: "secret", value: "value ${turn}" });`,
  ];
  const paths = ["/keys/imported", "/keys/generated", "/secrets/secret"];
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      isProviderCold: true,
      program: "",
      ...settingsFor(vault),
    });
    for (const turn of [1, 2]) await stack.file(`imported.${turn}.pem`, ecKey().pkcs8);
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const versions = () =>
    Promise.all(
      paths.map(async (path) => {
        const { value } = (await call(vault, "GET", `${path}/versions`)) as { value: unknown[] };
        return value.length;
      }),
    );

  it.each([
    ["created", 1],
    ["changed", 2],
  ])("has %s each object once after the next up", async (_what, turn) => {
    await stack.program(sources(turn).join("\n"));
    const before = await stack.resources();
    for (const operation of ["importKey", "createKey", "setSecret"]) {
      vault.faults.add({ kind: "latency", operation, milliseconds: 600_000, times: 1 });
    }
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: { ...stack.env, PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" },
      detached: true,
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("close", done));
    await vi.waitFor(async () => expect(await versions()).toEqual([turn, turn, turn]), {
      timeout: 60_000,
      interval: 100,
    });
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await ended;
    vault.faults.clear();
    await stack.pulumi("cancel", "--yes");
    expect(await stack.resources()).toEqual(before);
    await stack.up();
    expect(await versions()).toEqual([turn, turn, turn]);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });
});

describe.each(DOORS)("a run that is cancelled while it waits (%s)", (door) => {
  const names = ["busy", "throttled", "unanswered"] as const;
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      isProviderCold: true,
      door,
      program: names
        .map((name) => `new keyvault.Key("${name}", { name: "${name}", generate: { keyType: "EC" } });`)
        .join("\n"),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const versionsOf = async (key: string): Promise<number> => {
    let count = 0;
    for await (const _version of keyClient(vault).listPropertiesOfKeyVersions(key)) count += 1;
    return count;
  };

  /** `pulumi up` until the vault has refused everything for a while. */
  const waitingRun = async () => {
    vault.requests.clear();
    vault.faults.add({ kind: "conflict", operation: "createKey", name: "busy" });
    vault.faults.add({ kind: "throttled", operation: "createKey", name: "throttled" });
    vault.faults.add({ kind: "drop", operation: "createKey", name: "unanswered" });
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: stack.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    }
    const ended = new Promise<{ exitCode: number | null; text: string }>((done) =>
      child.on("close", (exitCode) => done({ exitCode, text })),
    );
    const asked = (name: string) =>
      vault.requests.log.filter(({ operation, path }) => operation === "createKey" && path.includes(name)).length;
    await vi.waitFor(() => expect(names.map((name) => asked(name) > 0)).toEqual([true, true, true]), {
      timeout: 60_000,
      interval: 50,
    });
    return { child, ended };
  };

  it("ends at once, with a word for each key, and the next up goes on", async () => {
    const { child, ended } = await waitingRun();
    const interruptedAt = Date.now();
    child.kill("SIGINT");
    const { exitCode, text } = await ended;
    expect(exitCode).not.toBe(0);
    // Without hearing of it, the operations wait for 10 minutes.
    expect(Date.now() - interruptedAt).toBeLessThan(30_000);
    // Between two requests, or in the middle of one that has done nothing.
    expect(text).toMatch(
      /KV_TIMEOUT: (stopped waiting for key "busy" in \S+ to be free: the run|\w+ "busy" in \S+) was cancelled/,
    );
    expect(text).toMatch(/KV_UNCERTAIN: whether a version of key "unanswered" in \S+ was written is not known/);
    vault.faults.clear();
    await stack.up();
    expect(await Promise.all(names.map(versionsOf))).toEqual([1, 1, 1]);
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.destroy();
    for (const name of names) await keyClient(vault).purgeDeletedKey(name);
  });

  it.each([
    ["has 5 seconds more for the answer to a write that is on its way", false],
    ["ends without it where it is cancelled twice", true],
  ])("%s", async (_what, isTwice) => {
    const mark = randomUUID();
    vault.requests.clear();
    vault.faults.add({ kind: "latency", operation: "createKey", name: "unanswered", milliseconds: 600_000 });
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: { ...stack.env, [MARK]: mark },
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("exit", done));
    await vi.waitFor(async () => expect(await versionsOf("unanswered")).toBe(1), { timeout: 60_000, interval: 50 });
    const interruptedAt = Date.now();
    child.kill("SIGINT");
    if (isTwice) {
      await vi.waitFor(() => expect(Date.now() - interruptedAt).toBeGreaterThan(500), { interval: 50 });
      child.kill("SIGINT");
    }
    await ended;
    expect(Date.now() - interruptedAt).toBeLessThan(30_000);
    await vi.waitFor(() => expect(markedProcesses(mark)).toEqual([]), { timeout: 30_000, interval: 100 });
    vault.faults.clear();
    await stack.pulumi("cancel", "--yes");
    await stack.up();
    expect(await Promise.all(names.map(versionsOf))).toEqual([1, 1, 1]);
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.destroy();
    for (const name of names) await keyClient(vault).purgeDeletedKey(name);
  });
});
