import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { packageSchema } from "../../plugin/schema/package-schema.js";
import { provisionSdks, SdksUnavailableError } from "../../tools/sdks/provision-sdks.mts";
import {
  buildWheel,
  PythonUnavailableError,
  provisionPython,
  pythonFolder,
} from "../../tools/sdks/python-environment.mts";

/** The generator may have to be built. */
const PREPARATION_MS = 20 * 60_000;

const modules = resolve(__dirname, "../../node_modules");
const run = promisify(execFile);

let work: string;
let sdks: string;
let unavailable = "";
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
  try {
    sdks = await provisionSdks();
  } catch (error) {
    if (!(error instanceof SdksUnavailableError)) throw error;
    unavailable = error.message;
  }
}, PREPARATION_MS);
beforeEach(({ skip }) => skip(unavailable !== "", unavailable));
afterAll(() => rm(work, { recursive: true, force: true }));

it("Pulumi's generators make each resource and function of the schema for Python and Go", async () => {
  const { resources, functions } = packageSchema("0.0.0");
  const exported = await readFile(join(sdks, "python/pulumi_keyvault/__init__.py"), "utf8");
  for (const token of [...Object.keys(resources), ...Object.keys(functions)]) {
    const name = token.split(":").at(-1) ?? "";
    const file = name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).toLowerCase();
    expect(exported).toContain(`from .${file} import *`);
    const inGo = `${name.charAt(0).toLowerCase()}${name.slice(1)}.go`;
    expect(await readFile(join(sdks, "go/keyvault", inGo), "utf8")).toContain("package keyvault");
  }
});

it("the SDK for Python is a wheel with its types, the plugin's name, and what it needs", { timeout: 120_000 }, async ({
  skip,
}) => {
  const environment = await provisionPython().catch((error: Error) => {
    if (!(error instanceof PythonUnavailableError)) throw error;
    return error.message;
  });
  skip(environment.startsWith("There is no Python"), environment);
  const wheel = await buildWheel(environment, join(sdks, "python"), join(work, "wheels"), process.env);
  const python = join(pythonFolder(environment), "python");
  const unpacked = join(work, "unpacked");
  await run(python, ["-m", "zipfile", "-e", wheel, unpacked]);
  const files = await readdir(unpacked, { recursive: true });
  expect(files).toEqual(expect.arrayContaining(["pulumi_keyvault/py.typed", "pulumi_keyvault/key.py"]));
  const plugin = JSON.parse(await readFile(join(unpacked, "pulumi_keyvault/pulumi-plugin.json"), "utf8"));
  expect(plugin).toMatchObject({ resource: true, name: "keyvault" });
  const metadata = await readFile(join(unpacked, files.find((name) => name.endsWith("METADATA")) ?? ""), "utf8");
  expect(metadata).toMatch(/^Requires-Dist: pulumi[<>=]/m);
});

it("the SDK for Node compiles", { timeout: 120_000 }, async () => {
  const folder = join(work, "nodejs");
  await cp(join(sdks, "nodejs"), folder, { recursive: true });
  await mkdir(join(folder, "node_modules"));
  for (const name of ["@pulumi", "@types"]) await symlink(join(modules, name), join(folder, "node_modules", name));
  // In place of the generator's own, which is written for compilers before TypeScript 6.
  const compilerOptions = { strict: true, module: "node16", target: "es2022", types: ["node"], noEmit: true };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
  const tsc = join(modules, "typescript/bin/tsc");
  const compiled = await run(process.execPath, [tsc, "-p", folder]).catch((error: { stdout: string }) => error);
  expect(compiled.stdout).toBe("");
});
