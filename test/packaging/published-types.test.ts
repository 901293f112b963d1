import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addFromCheckout,
  CHECKOUT,
  linkedProject,
  removeFolder,
  temporaryFolder,
  type UserProject,
} from "./packed-package.js";

const OLD_TYPESCRIPT = join(CHECKOUT, "test/packaging/old-typescript/node_modules/typescript/bin/tsc");
const OUR_TYPESCRIPT = join(CHECKOUT, "node_modules/typescript/bin/tsc");

/** Types that a user of ours need not have: they would bind programs to the versions that we happen to use. */
const NOT_OURS_TO_SHOW = ["@azure/", "zod/", "undici/", "jose/", "node-forge/", "@peculiar/"];

const PROGRAM = `
  import * as keyvault from "pulumi-keyvault";
  import { startEmulator, type Emulator } from "pulumi-keyvault/emulator";

  const key = new keyvault.Key("k", { vaultUrl: "https://v.vault.azure.net", import: { file: "k.pem" }, tags: { a: "b" } });
  const backup = new keyvault.KeyBackup("k", { key });
  new keyvault.Key("copy", { vaultUrl: "https://w.vault.azure.net", restore: backup });
  new keyvault.SecretBackup("s", { secret: new keyvault.Secret("s", { value: "v" }) });
  const all = new keyvault.VaultBackup("all", { vaultUrl: "https://v.vault.azure.net", keys: "*", secrets: "*" });
  new keyvault.KeyInventory("vault", { vaultUrl: "https://v.vault.azure.net", expect: [key], onUnmanaged: "fail" });
  export const blobs = all.blobs;
  export async function names(): Promise<string[]> {
    const found: string[] = [];
    for await (const item of keyvault.listKeys("https://v.vault.azure.net")) found.push(item.name);
    return found;
  }
  export const thumbprint = key.thumbprint.apply((text) => text?.toUpperCase());
  export const blob = backup.blob.apply((text) => text.length);
  export async function start(): Promise<Emulator> {
    return startEmulator();
  }
`;

let folder: string;
let project: UserProject;
beforeAll(async () => {
  folder = await temporaryFolder();
  project = await linkedProject(folder);
  for (const name of ["@pulumi/pulumi", "@types/node"]) await addFromCheckout(project, name);
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "src", "index.ts"), PROGRAM);
}, 60_000);
afterAll(() => removeFolder(folder));

describe.each([
  ["an old TypeScript", OLD_TYPESCRIPT],
  ["the TypeScript we use", OUR_TYPESCRIPT],
])("under %s", (_name, compiler) => {
  test("a program type-checks, and so does every declaration file of ours", async () => {
    const { output } = await compile(compiler);
    expect(output.filter((line) => isOurs(line))).toEqual([]);
  }, 120_000);

  test("the declarations lead to no types of libraries that we use inside", async () => {
    const { files } = await compile(compiler, "--listFilesOnly");
    expect(files.some((file) => file.endsWith("dist/sdk/index.d.ts"))).toBe(true);
    for (const library of NOT_OURS_TO_SHOW) {
      expect(files.filter((file) => file.includes(`/node_modules/${library}`))).toEqual([]);
    }
  }, 120_000);
});

/** What a compiler says of the files of others is not ours to mend: the newest `@types/node` is not made for an old TypeScript. */
function isOurs(line: string): boolean {
  return line.includes("error TS") && !/^(?:\.\.\/)*.*node_modules\/(?!pulumi-keyvault\/)/.test(line);
}

async function compile(compiler: string, ...flags: string[]): Promise<{ output: string[]; files: string[] }> {
  const options = ["--strict", "--skipLibCheck", "false", "--target", "es2022", "--module", "nodenext", "--noEmit"];
  const finished = await promisify(execFile)(
    process.execPath,
    [
      compiler,
      ...options,
      "--moduleResolution",
      "nodenext",
      "--types",
      "node",
      "--pretty",
      "false",
      ...flags,
      "src/index.ts",
    ],
    { cwd: project.folder, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: unknown) => {
    if (error instanceof Error && "stdout" in error && typeof error.stdout === "string")
      return { stdout: error.stdout };
    throw error;
  });
  const output = finished.stdout.split("\n").filter(Boolean);
  return { output, files: output };
}
