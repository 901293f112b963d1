import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { providerText, RESOURCE_TYPES } from "../../sdk/contract.js";
import {
  addFromCheckout,
  installedProject,
  linkedProject,
  packPackage,
  removeFolder,
  temporaryFolder,
  type UserProject,
} from "./packed-package.js";

/** What old states hold, to the letter. A line may be added; none may ever change. */
const PROVIDER_TEXTS = {
  key: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").key;',
  keyBackup: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").keyBackup;',
  secret: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").secret;',
  secretBackup: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").secretBackup;',
  keyInventory: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").keyInventory;',
  keySet: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").keySet;',
  secretInventory: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").secretInventory;',
  vaultBackup: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").vaultBackup;',
};

const METHODS = ["check", "configure", "create", "delete", "diff", "read", "update"];

/** Runs each text as the host of dynamic providers does: a module without a name that resolves from the project's folder. */
const HOST = `
  const Module = require("node:module");
  const path = require("node:path");
  const found = {};
  for (const [name, text] of Object.entries(${JSON.stringify(PROVIDER_TEXTS)})) {
    const host = new Module("");
    host.filename = "";
    host.paths = Module._nodeModulePaths(".");
    host._compile(text, "");
    const provider = host.exports.handler();
    found[name] = Object.keys(provider).filter((method) => typeof provider[method] === "function").sort();
  }
  const heavy = Object.keys(require.cache).map((file) => file.split(path.sep + "node_modules" + path.sep).at(-1));
  console.log(JSON.stringify({
    found,
    loads: [...new Set(heavy.filter((file) => /^(@pulumi|@azure|undici|zod|node-forge)\\b/.test(file)))],
  }));
`;

const EVERY_LIFECYCLE = Object.fromEntries(Object.keys(PROVIDER_TEXTS).map((name) => [name, METHODS]));

let folder: string;
let installed: UserProject;
let linked: UserProject;
beforeAll(async () => {
  folder = await temporaryFolder();
  const { tarball } = await packPackage(folder);
  installed = await installedProject(join(folder, "installed"), tarball);
  linked = await linkedProject(join(folder, "linked"));
}, 120_000);
afterAll(() => removeFolder(folder));

test("the texts and types that go into states are those of the first release", () => {
  for (const [lifecycle, text] of Object.entries(PROVIDER_TEXTS)) {
    expect(providerText(lifecycle as keyof typeof PROVIDER_TEXTS)).toBe(text);
  }
  expect(RESOURCE_TYPES).toMatchObject({
    key: "pulumi-nodejs:dynamic/keyvault:Key",
    keyBackup: "pulumi-nodejs:dynamic/keyvault:KeyBackup",
    secret: "pulumi-nodejs:dynamic/keyvault:Secret",
    secretBackup: "pulumi-nodejs:dynamic/keyvault:SecretBackup",
    keyInventory: "pulumi-nodejs:dynamic/keyvault:KeyInventory",
    keySet: "pulumi-nodejs:dynamic/keyvault:KeySet",
    secretInventory: "pulumi-nodejs:dynamic/keyvault:SecretInventory",
    vaultBackup: "pulumi-nodejs:dynamic/keyvault:VaultBackup",
  });
});

describe("what an old state requires loads, light and without Pulumi's SDK,", () => {
  test("from a package that npm installed", async () => {
    expect(await installed.runJson("-e", HOST)).toEqual({ found: EVERY_LIFECYCLE, loads: [] });
  });

  test("from a package that is linked", async () => {
    expect(await linked.runJson("-e", HOST)).toEqual({ found: EVERY_LIFECYCLE, loads: [] });
  });

  test("in a project of ES modules", async () => {
    const manifest = { name: "program", private: true, type: "module" };
    await writeFile(join(linked.folder, "package.json"), JSON.stringify(manifest));
    await writeFile(join(linked.folder, "host.cjs"), HOST);
    expect(await linked.runJson("host.cjs")).toEqual({ found: EVERY_LIFECYCLE, loads: [] });
  });
});

describe("a program", () => {
  const FOUND = ["Key", "KeyBackup", "Secret", "SecretBackup", "VaultBackup"];
  beforeAll(() => addFromCheckout(installed, "@pulumi/pulumi"));

  test("in CommonJS finds the resources, the lifecycles and the embedded vault", async () => {
    const program = `
      const keyvault = require("pulumi-keyvault");
      const { startEmulator } = require("pulumi-keyvault/emulator");
      const lifecycles = Object.keys(require("pulumi-keyvault/dynamic-v1"));
      const { version } = require("pulumi-keyvault/package.json");
      console.log(JSON.stringify({ resources: Object.keys(keyvault), startEmulator: typeof startEmulator, lifecycles, version }));
    `;
    expect(await installed.runJson("-e", program)).toEqual({
      resources: expect.arrayContaining(FOUND),
      startEmulator: "function",
      lifecycles: expect.arrayContaining(Object.keys(PROVIDER_TEXTS)),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
  });

  test("in ES modules finds them by name", async () => {
    const program = `
      import { ${FOUND.join(", ")} } from "pulumi-keyvault";
      import { startEmulator } from "pulumi-keyvault/emulator";
      import { ${Object.keys(PROVIDER_TEXTS).join(", ")} } from "pulumi-keyvault/dynamic-v1";
      const classes = [${FOUND.join(", ")}];
      const lifecycles = [${Object.keys(PROVIDER_TEXTS).join(", ")}];
      console.log(JSON.stringify({
        classes: classes.map((it) => typeof it),
        lifecycles: lifecycles.map((it) => typeof it.create),
        startEmulator: typeof startEmulator,
      }));
    `;
    expect(await installed.runJson("--input-type=module", "-e", program)).toEqual({
      classes: FOUND.map(() => "function"),
      lifecycles: Object.keys(PROVIDER_TEXTS).map(() => "function"),
      startEmulator: "function",
    });
  });

  test("cannot reach what is not exported", async () => {
    const program = `
      try { require("pulumi-keyvault/dist/provider/lifecycle.js"); }
      catch (error) { console.log(JSON.stringify(error.code)); }
    `;
    expect(await installed.runJson("-e", program)).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

test("the command says what it needs on a Node that is too old, and does nothing", async () => {
  const program = `
    const { spawnSync } = require("node:child_process");
    const command = require.resolve("pulumi-keyvault/package.json").replace("package.json", "dist/cli/main.js");
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });';
    const { status, stdout, stderr } = spawnSync(
      process.execPath, ["-e", old + "require(" + JSON.stringify(command) + ")", "--", "--version"], { encoding: "utf8" });
    console.log(JSON.stringify({ status, stdout, stderr }));
  `;
  expect(await installed.runJson("-e", program)).toEqual({
    status: 1,
    stdout: "",
    stderr: "pulumi-keyvault: needs Node.js 22.13 or newer, and this is 20.20.2: update it\n",
  });
});

test("the command that npm installs runs", async () => {
  const program = `
    const { execFileSync } = require("node:child_process");
    const text = execFileSync("node_modules/.bin/pulumi-keyvault", ["--version"], { encoding: "utf8" });
    console.log(JSON.stringify(text.trim()));
  `;
  expect(await installed.runJson("-e", program)).toMatch(/^\d+\.\d+\.\d+/);
});
