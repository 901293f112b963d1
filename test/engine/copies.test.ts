import { spawn } from "node:child_process";
import { cp, readdir, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Stack } from "./stack.js";

const root = resolve(__dirname, "../..");
const generated = 'generate: { keyType: "EC" }';

const resources = `
  class Pair extends pulumi.ComponentResource {
    constructor(n) {
      super("test:index:Pair", n);
      const key = new keyvault.Key(n + "-a", { name: n + "-a", ${generated} }, { parent: this });
      new keyvault.Secret(n + "-b", { value: pulumi.interpolate\`of \${key.version}\`, tags: { of: key.name } },
        { parent: this });
      new keyvault.KeyBackup(n, { key }, { parent: this });
      this.thumbprint = key.thumbprint;
    }
  }
  const { thumbprint } = new Pair("linked");`;

/** An SDK of the project's own, as `npm install path/to/pulumi-keyvault` lays it out beside the linked package's. */
async function installSdk({ folder }: Stack): Promise<void> {
  const modules = join(folder, "node_modules");
  await rm(join(modules, "@pulumi"), { recursive: true });
  await cp(join(root, "node_modules/@pulumi/pulumi"), join(modules, "@pulumi/pulumi"), { recursive: true });
  const present = await readdir(modules);
  for (const name of await readdir(join(root, "node_modules"))) {
    if (!present.includes(name) && !name.startsWith(".")) {
      await symlink(join(root, "node_modules", name), join(modules, name));
    }
  }
}

/** Another copy of the package, as hoisting leaves one below each of two dependencies. */
async function installCopy({ folder }: Stack, name: string): Promise<void> {
  const copy = join(folder, "node_modules", name);
  await cp(join(root, "dist"), join(copy, "dist"), { recursive: true });
  await cp(join(root, "package.json"), join(copy, "package.json"));
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
}

function node(stack: Stack, file: string): Promise<{ exitCode: number | null; text: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [file], { cwd: stack.folder, env: { ...process.env, ...stack.env } });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.on("error", fail).on("close", (exitCode) => done({ exitCode, text }));
  });
}

describe("a linked package that has an SDK of its own", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await installSdk(stack);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("runs in a program of the command line", async () => {
    await stack.program(`${resources}\n exports.thumbprint = thumbprint;`);
    await stack.up();
    expect(await stack.outputs()).toEqual({ thumbprint: expect.stringMatching(/^[\w-]{43}$/) });
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.program("");
    await stack.up();
  });

  const settings = () =>
    `{ "keyvault:vaultUrl": { value: "${vault.url}" }, "keyvault:credential": { value: "token" } }`;
  const inline = (stackName: string) => `
    const stack = await LocalWorkspace.createOrSelectStack({
      projectName: "inline", stackName: "${stackName}", program: async () => { ${resources.replaceAll("linked", stackName)} return { thumbprint }; },
    });
    await stack.setAllConfig(${settings()});
    const { outputs } = await stack.up();
    const { changeSummary } = await stack.preview({ refresh: true });
    process.stdout.write(JSON.stringify({ thumbprint: outputs.thumbprint.value, changes: Object.keys(changeSummary) }));`;

  it.each([
    ["a module that imports the SDK first", "mjs", ["pulumi", "automation", "keyvault"]],
    ["a module that imports the package first", "mjs", ["keyvault", "pulumi", "automation"]],
    ["CommonJS that requires the SDK first", "cjs", ["pulumi", "automation", "keyvault"]],
    ["CommonJS that requires the package first", "cjs", ["keyvault", "pulumi", "automation"]],
  ])("runs in an inline program of the Automation API, in %s", async (title, extension, order) => {
    const isModule = extension === "mjs";
    const imports: Record<string, string> = isModule
      ? {
          pulumi: 'import * as pulumi from "@pulumi/pulumi";',
          automation: 'import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";',
          keyvault: 'import * as keyvault from "pulumi-keyvault";',
        }
      : {
          pulumi: 'const pulumi = require("@pulumi/pulumi");',
          automation: 'const { LocalWorkspace } = require("@pulumi/pulumi/automation");',
          keyvault: 'const keyvault = require("pulumi-keyvault");',
        };
    const body = inline(title.replace(/\W+/g, "-"));
    const text = `${order.map((name) => imports[name]).join("\n")}\n${isModule ? body : `(async () => {${body}})();`}`;
    await stack.file(`automation.${extension}`, text);
    const { exitCode, text: printed } = await node(stack, `automation.${extension}`);
    expect(printed).toMatch(/"changes":\["same"\]/);
    expect(exitCode).toBe(0);
  });
});

describe("a second copy of the package", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await installCopy(stack, "of-a-dependency");
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("takes the resources of the first", async () => {
    await stack.program(`
      const copy = require("of-a-dependency");
      if (copy.Key === keyvault.Key) throw new Error("one copy only");
      const key = new copy.Key("k", { name: "k", ${generated} });
      const secret = new copy.Secret("s", { name: "s", value: "x" });
      const inventory = new keyvault.KeyInventory("i", { expect: [key, "other"] });
      const backup = new keyvault.KeyBackup("k", { key });
      const vaultBackup = new keyvault.VaultBackup("v", { keys: [key], secrets: [secret] });
      new copy.Key("back", { vaultUrl: "embedded:./second", restore: vaultBackup.key("k") });
      new copy.Secret("back", { vaultUrl: "embedded:./second", restore: vaultBackup.secret("s") });
      exports.missing = inventory.missing;
      exports.unmanaged = inventory.unmanaged;
      exports.covered = [backup.version, vaultBackup.covered.keys.k, key.version];`);
    await stack.up();
    const { missing, unmanaged, covered } = (await stack.outputs()) as Record<string, string[]>;
    expect({ missing, unmanaged }).toEqual({ missing: ["other"], unmanaged: [] });
    expect(new Set(covered).size).toBe(1);
    const client = new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
    expect((await client.getKey("k")).properties.version).toBe(covered?.[0]);
  });
});
