import { type ChildProcess, spawn } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { provisionEngine } from "../../tools/engine/provision.mts";
import { pictureText } from "../../tools/pictures/picture-text.mts";
import { steady } from "../../tools/pictures/steady-text.mts";
import { quickStartSettings } from "../engine/quick/quick-settings.js";
import { ReadmeCommands } from "../engine/readme-commands.js";

const CHECKOUT = join(__dirname, "../..");

/** A checkout of its own, so that a demo of the user's is left alone. */
let checkout: string;
beforeAll(async () => {
  checkout = await realpath(await mkdtemp(join(tmpdir(), "keyvault demo-")));
  const files = ["package.json", "Pulumi.yaml", "tsconfig.json", "tsconfig.build.json"];
  const folders = ["sdk", "plugin", "provider", "emulator", "cli", "examples", "tools"];
  for (const name of [...files, ...folders]) await cp(join(CHECKOUT, name), join(checkout, name), { recursive: true });
  await symlink(join(CHECKOUT, "node_modules"), join(checkout, "node_modules"), "dir");
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

describe("the demo", { timeout: 900_000 }, () => {
  test("can be run at once after it was killed in the middle of an update", async () => {
    const interrupted = start("tools/demo.mts", "--verbose");
    await vi.waitFor(() => expect(interrupted.output()).toContain("Key signing creating"), { timeout: 400_000 });
    interrupted.process.kill("SIGKILL");
    await interrupted.end();

    const { exitCode, output } = await start("tools/demo.mts").end();
    expect(output).toContain("Exit code 7");
    expect(output).toMatch(/Key tokens.*\n {2}thumbprint\n {4}recorded: +[\w-]{43}\n {4}observed: +[\w-]{43}\n/);
    expect(output).toMatch(/tags\.owner +\(none\) +nobody knows/);
    expect(output).toContain("~ KeyBackup signing updated");
    expect(output).toContain("+ Key signing-copy created");
    expect(output).toMatch(/the same public key, and\s+the same version, in both vaults/);
    expect(exitCode).toBe(0);
    // No noise of the engine, and what the README has a picture of.
    expect(output).not.toMatch(/updating|refreshing|urn:|Duration/);
    const withoutWait = output.replace(/^An engine of an interrupted demo .*\n/m, "");
    expect(steady(withoutWait).trim()).toBe(
      pictureText(await readFile(join(CHECKOUT, "docs/pictures/demo.svg"), "utf8")).trim(),
    );
  });

  test("leaves keys for the example's own README, whose commands make another stack of it", async () => {
    const readme = new ReadmeCommands("examples/import-key/README.md");
    const engine = await provisionEngine();
    const env = {
      ...engine.env,
      PULUMI_HOME: join(checkout, ".home"),
      PULUMI_BACKEND_URL: `file://${await mkdtemp(join(checkout, ".state-"))}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
    };
    const { stdout } = await readme.run({ folder: checkout, env }, "pulumi up");
    expect(stdout).toMatch(/\+ 8 created/);
    expect(readme.left).toEqual([]);
  });

  test("leaves a stack to go on with by hand", async () => {
    const outputs = await start("tools/pulumi.mts", "stack", "output", "--json").end();
    expect(JSON.parse(outputs.output)).toMatchObject({ signingBackupBlob: "[secret]" });

    const destroyed = await start("tools/pulumi.mts", "destroy", "--yes", "--non-interactive", "--skip-preview").end();
    expect(destroyed).toMatchObject({ exitCode: 0, output: expect.stringContaining("- 8 deleted") });
  });

  test("keeps its private keys out of the state and out of what it prints", async () => {
    await expectNoKeyInState();
  });

  test("passes the exit code of the engine on", async () => {
    const { exitCode } = await start("tools/pulumi.mts", "stack", "output", "no-such-output").end();
    expect(exitCode).not.toBe(0);
  });

  // What is missing on this machine is no fault of the demo's.
  const MISSING = /There is no (pulumi-language-|Python)|SDKs of the plugin could not be made|go build of \S+ failed/;

  test.for(["yaml", "python", "go"])(
    "goes the same way with a program in %s, and its stack is gone on with",
    async (language, { skip }) => {
      const { exitCode, output } = await start("tools/demo.mts", "--language", language).end();
      skip(MISSING.test(output), output.slice(-800));
      expect(output).toContain("Exit code 7");
      expect(output).toMatch(/tags\.owner +\(none\) +nobody knows/);
      expect(output).toMatch(/the same public key, and\s+the same version, in both vaults/);
      expect(exitCode, output).toBe(0);
      const outputs = await start("tools/pulumi.mts", "stack", "output", "--json").end();
      expect(JSON.parse(outputs.output)).toMatchObject({
        signingPublicKey: expect.stringContaining("BEGIN PUBLIC KEY"),
        clientThumbprint: expect.stringMatching(/^[\w-]{43}$/),
        signingBackupBlob: "[secret]",
        copiedKey: expect.stringContaining("second.vault"),
      });
      await expectNoKeyInState();
    },
  );

  test("refuses a language that there is not before it forgets an earlier demo", async () => {
    const { exitCode, output } = await start("tools/demo.mts", "--language", "cobol").end();
    expect(output).toContain("cobol is not one of the languages yaml, python, go");
    expect(exitCode).toBe(1);
    expect(await readdir(join(checkout, ".demo"))).toContain("first.vault");
  });
});

function start(tool: string, ...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [tool, ...args], {
    cwd: checkout,
    env: { ...process.env, ...quickStartSettings(process.env) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const closed = new Promise((resolve) => child.once("close", resolve));
  return {
    process: child,
    output: () => text,
    async end() {
      const exitCode = await ended;
      // Of a killed demo the engine still holds the pipes.
      if (exitCode !== null) await closed;
      if (exitCode !== null && exitCode !== 0) text += errors;
      return { exitCode, output: text };
    },
  };
}

async function expectNoKeyInState(): Promise<void> {
  const keys = join(checkout, ".demo", "keys");
  const state = await readAll(join(checkout, ".demo", "state"));
  expect(state).toContain("orders-signing");
  for (const name of await readdir(keys)) {
    for (const canary of privateParts(await readFile(join(keys, name), "utf8"))) expect(state).not.toContain(canary);
  }
}

/** Pieces of private material, as a file has it and as a number. What of a file is the public key may stand anywhere. */
function privateParts(text: string): string[] {
  if (text.startsWith("{")) return [/"d": "([^"]+)"/.exec(text)?.[1] ?? "no private member"];
  const key = createPrivateKey(text);
  const lines = text.split("\n").filter((line) => line.length === 64);
  const { d = "no private member" } = key.export({ format: "jwk" });
  return [d, (key.asymmetricKeyType === "rsa" ? lines.at(-1) : lines[0]) ?? "no line"];
}

async function readAll(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")))).join("\n");
}
