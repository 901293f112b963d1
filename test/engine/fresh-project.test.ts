import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type InstalledFolder,
  installWith,
  type PackageManager,
  ProgramUnavailableError,
} from "../packaging/package-manager.js";
import { CHECKOUT, packPackage, removeFolder, temporaryFolder } from "../packaging/packed-package.js";
import { Stack } from "./stack.js";

/** How a program is written. What a manager lays out is found in a way of its own by each. */
type Language = "CommonJS" | "ES modules" | "TypeScript, compiled to CommonJS" | "TypeScript, as ES modules";

const COMPILED = "TypeScript, compiled to CommonJS";
const LANGUAGES: readonly Language[] = ["CommonJS", COMPILED, "TypeScript, as ES modules"];

const managers: [PackageManager, string, readonly Language[]][] = [
  ["npm", "one flat folder", ["CommonJS", "ES modules", COMPILED, "TypeScript, as ES modules"]],
  ["pnpm", "links into a store", LANGUAGES],
  ["yarn", "Plug'n'Play: archives, and no folder at all", LANGUAGES],
  ["bun", "its own flat folder", LANGUAGES],
];

const FIRST_DOWNLOAD_MS = 10 * 60_000;

let packages: string;
let dependencies: Record<string, string>;
beforeAll(async () => {
  packages = await temporaryFolder();
  const { tarball } = await packPackage(packages);
  const { devDependencies } = z
    .object({ devDependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8")));
  const same = ["@pulumi/pulumi", "@types/node"].map((name) => [name, devDependencies[name] ?? ""]);
  dependencies = { ...Object.fromEntries(same), typescript: "5.9.3", "pulumi-keyvault": `file:${tarball}` };
});
afterAll(() => removeFolder(packages));

describe.each(managers)("a fresh project of %s (%s)", (manager, _layout, languages) => {
  let installed: InstalledFolder;
  let stack: Stack;
  let unavailable = "";

  beforeAll(async () => {
    try {
      installed = await installWith(manager, join(packages, manager), dependencies);
    } catch (error) {
      if (!(error instanceof ProgramUnavailableError)) throw error;
      unavailable = error.message;
      return;
    }
    await writeProgram(installed.folder, "CommonJS");
    stack = await Stack.inFolder(installed.folder, installed.env);
  }, FIRST_DOWNLOAD_MS);
  beforeEach(({ skip }) => skip(unavailable !== "", unavailable));

  it("has the command", async () => {
    expect(await installed.runCommand("pulumi-keyvault", "--version")).toMatch(/^\d+\.\d+\.\d+\n$/m);
  });

  it.each(languages)("takes on the stack in %s", async (language) => {
    await writeProgram(installed.folder, language);
    // Its preview is the last step's, and the first one's that of an empty stack.
    const preview = language === languages[0] ? [] : ["--skip-preview"];
    const run = await stack.pulumi("up", "--yes", ...preview);
    expect(run.exitCode, run.text).toBe(0);
    expect(await stack.outputs()).toEqual({ language, id: "embedded:./dev.vault/keys/orders" });
  });

  it("is clean after that, and takes away what it made", async () => {
    const { run } = await stack.drift();
    expect(run.exitCode, run.text).toBe(0);
    await stack.destroy();
  });
});

/** The same resources each time; only a tag says which program has written them. */
async function writeProgram(folder: string, language: Language): Promise<void> {
  const isModule = language === "ES modules" || language === "TypeScript, as ES modules";
  const main = language.startsWith("TypeScript") ? "index.ts" : "index.js";
  for (const other of ["index.ts", "index.js"]) await rm(join(folder, other), { force: true });
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ ...manifest, main, type: isModule ? "module" : "commonjs" }),
  );
  await writeFile(
    join(folder, "Pulumi.yaml"),
    `name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: ${language === COMPILED}\n`,
  );
  const options = { target: "es2022", module: "node16", moduleResolution: "node16", strict: true };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["index.ts"] }));
  const exporting = (name: string): string => (language === "CommonJS" ? `exports.${name}` : `export const ${name}`);
  await writeFile(
    join(folder, main),
    `${language === "CommonJS" ? 'const keyvault = require("pulumi-keyvault");' : 'import * as keyvault from "pulumi-keyvault";'}
    const vaultUrl = "embedded:./dev.vault";
    const orders = new keyvault.Key("orders", {
      vaultUrl, name: "orders", generate: { keyType: "EC" }, tags: { language: "${language}" }, onDelete: "purge" });
    new keyvault.KeyBackup("orders", { key: orders });
    ${exporting("id")} = orders.id;
    ${exporting("language")} = orders.tags.apply((tags) => tags?.language);
    `,
  );
}
