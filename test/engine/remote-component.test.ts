import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Stack } from "./stack.js";
import { keyClient, settingsFor } from "./vault-by-hand.js";

/** A component that another process makes, as those of a package in another language are. */
const COMPONENT = `
const pulumi = require("@pulumi/pulumi");
const keyvault = require("pulumi-keyvault");

class Signing extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("remote:index:Signing", name, args, opts);
    const { vaultUrl } = args;
    const key = new keyvault.Key(name + "-key", { vaultUrl, generate: { keyType: "EC" } }, { parent: this });
    new keyvault.KeyBackup(name, { key }, { parent: this });
    this.keyName = key.name;
    this.registerOutputs({ keyName: this.keyName });
  }
}

pulumi.provider.main({
  version: "0.0.1",
  async construct(name, type, inputs, options) {
    const component = new Signing(name, inputs, options);
    return { urn: component.urn, state: { keyName: component.keyName } };
  },
}, process.argv.slice(2));
`;

const program = (vaultUrl: string, tag: string) => `
  class Signing extends pulumi.ComponentResource {
    constructor(name, args, opts) {
      super("remote:index:Signing", name, { ...args, keyName: undefined }, opts, true);
    }
  }
  const remote = new Signing("remote", { vaultUrl: "${vaultUrl}" });
  const child = new keyvault.Key("child", { generate: { keyType: "EC" }, tags: { a: "${tag}" } }, { parent: remote });
  new keyvault.Secret("both", { value: pulumi.interpolate\`\${remote.keyName} \${child.version}\` }, { parent: remote });
  exports.keyName = remote.keyName;
  exports.child = child.name;`;

describe("a remote component, on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({ program: "", ...settingsFor(vault) });
    const folder = join(stack.folder, "remote");
    await mkdir(folder);
    await writeFile(join(folder, "main.js"), COMPONENT);
    const command = `exec "${process.execPath}" "$(dirname "$0")/main.js" "$@"`;
    await writeFile(join(folder, "pulumi-resource-remote"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    const plugins = "plugins:\n  providers:\n    - name: remote\n      path: ./remote\n";
    const project = `name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${plugins}`;
    await writeFile(join(stack.folder, "Pulumi.yaml"), project);
    await stack.program(program(vault.url, "1"));
    await stack.up();
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("makes a key of its own, and is the parent of keys of the program", async () => {
    const { keyName, child } = (await stack.outputs()) as { keyName: string; child: string };
    const names: string[] = [];
    for await (const { name } of keyClient(vault).listPropertiesOfKeys()) names.push(name);
    expect(names.sort()).toEqual([child, keyName].sort());
    const { urn } = await stack.resource("child", "Key");
    expect(urn).toContain("remote:index:Signing$pulumi-nodejs:dynamic/keyvault:Key::child");
  });

  it("is clean then, and lets its children change and go", async () => {
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.program(program(vault.url, "2"));
    await stack.up();
    const { child } = (await stack.outputs()) as { child: string };
    expect((await keyClient(vault).getKey(child)).properties.tags).toMatchObject({ a: "2" });
    await stack.destroy();
    await expect(keyClient(vault).getKey(child)).rejects.toMatchObject({ statusCode: 404 });
  });
});
