import { spawn } from "node:child_process";
import { KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { rsaKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

describe("a run that is killed in the middle of a create", () => {
  const material = rsaKey();
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
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
