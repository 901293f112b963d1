import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { ecKey } from "./demo-keys.js";
import { Stack } from "./stack.js";
import { keyClient, requestCounts, settingsFor } from "./vault-by-hand.js";

async function versionsOf(vault: Emulator): Promise<Record<string, number>> {
  const held: Record<string, number> = {};
  for await (const { name } of keyClient(vault).listPropertiesOfKeys()) {
    held[name] = 0;
    for await (const _version of keyClient(vault).listPropertiesOfKeyVersions(name)) held[name] += 1;
  }
  return held;
}

describe("several runs of the engine on one vault", () => {
  let vault: Emulator;
  const stacks: Stack[] = [];

  beforeAll(async () => {
    vault = await startEmulator();
    // What a real vault takes, and one write to a name at a time.
    vault.faults.add({ kind: "parallelWrites", milliseconds: 400 });
    vault.faults.add({ kind: "latency", milliseconds: 150 });
  });

  afterAll(async () => {
    for (const stack of stacks) await stack.remove();
    await vault?.close();
  });

  const stackOf = async (program: string) => {
    const stack = await Stack.create({ program, ...settingsFor(vault) });
    stacks.push(stack);
    return stack;
  };

  it("that claim one key at the same moment: one has it, the other is told so, and gets it once it is free", async () => {
    const [first, second] = await Promise.all(
      ["first", "second"].map((name) =>
        stackOf(`new keyvault.Key("${name}", { name: "claimed", generate: { keyType: "EC" }, onDelete: "purge" });`),
      ),
    );
    if (first === undefined || second === undefined) throw new Error("there are no two stacks");
    await second.pulumi("stack", "rename", "other");
    const runs = await Promise.all([first.tryUp(), second.tryUp()]);
    const [winner, loser] = runs[0].exitCode === 0 ? [first, second] : [second, first];
    expect(runs.map(({ exitCode }) => exitCode === 0).sort()).toEqual([false, true]);
    const lost = runs.find(({ exitCode }) => exitCode !== 0);
    expect(lost?.text).toMatch(/KV_ALREADY_EXISTS: create key "claimed" in \S+ was refused/);
    expect(await versionsOf(vault)).toEqual({ claimed: 1 });
    expect((await winner.drift()).run.exitCode).toBe(0);
    await winner.destroy();
    await loser.up();
    expect(await versionsOf(vault)).toEqual({ claimed: 1 });
    await loser.destroy();
  });

  it("64 resources at once, and a drift report beside their creation that changes nothing", async () => {
    const stack = await stackOf(
      `for (let at = 0; at < 64; at++) {
        new keyvault.Key("key-" + at, { name: "key-" + at, import: { file: "key-" + at + ".pem" } });
      }`,
    );
    for (let at = 0; at < 64; at++) await stack.file(`key-${at}.pem`, ecKey().pkcs8);
    vault.requests.clear();
    const up = stack.up("--parallel", "64");
    await vi.waitFor(() => expect(requestCounts(vault).importKey).toBeGreaterThan(0), { timeout: 60_000 });
    // What it says is of this moment, in the middle of a run: it only must not disturb.
    const [{ stdout, stderr }] = await Promise.all([runCommand(["drift"], { cwd: stack.folder, env: stack.env }), up]);
    expect(stdout + stderr).not.toBe("");
    const { importKey, updateKey, deleteKey } = requestCounts(vault);
    expect({ importKey, updateKey, deleteKey }).toEqual({ importKey: 64, updateKey: undefined, deleteKey: undefined });
    const held = await versionsOf(vault);
    expect(Object.keys(held)).toHaveLength(64);
    expect(Object.values(held).every((count) => count === 1)).toBe(true);
    expect((await runCommand(["drift"], { cwd: stack.folder, env: stack.env })).exitCode).toBe(0);
  });
});

describe("eight stacks that write one name with different material", () => {
  let vault: Emulator;
  let stacks: Stack[] = [];

  beforeAll(async () => {
    vault = await startEmulator();
    // One write to a name at a time, however slow the machine is between a look and the write that rests on it.
    vault.faults.add({ kind: "parallelWrites", milliseconds: 5_000 });
    const program = 'new keyvault.Key("contested", { name: "contested", import: { file: "contested.pem" } });';
    stacks = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const stack = await Stack.create({ program, ...settingsFor(vault) });
        await stack.file("contested.pem", ecKey().pkcs8);
        await stack.pulumi("stack", "rename", `writer-${at}`);
        return stack;
      }),
    );
  });

  afterAll(async () => {
    for (const stack of stacks) await stack.remove();
    await vault?.close();
  });

  it("leave one version, and seven are told whose it is", async () => {
    const runs = await Promise.all(stacks.map((stack) => stack.tryUp()));
    const winner = stacks.find((_stack, at) => runs[at]?.exitCode === 0);
    const lost = runs.filter(({ exitCode }) => exitCode !== 0);
    expect(lost.map(({ text }) => /KV_[A-Z_]+: .* in/.exec(text)?.[0])).toEqual(
      Array.from({ length: 7 }, () => 'KV_ALREADY_EXISTS: create key "contested" in'),
    );
    expect(await versionsOf(vault)).toEqual({ contested: 1 });
    expect((await winner?.drift())?.run.exitCode).toBe(0);
  });
});
