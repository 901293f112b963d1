import { execFile, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
/** The one that is compiled to a program of its own. */
const NATIVE_TYPESCRIPT = join(CHECKOUT, "test/packaging/newest-typescript/node_modules/typescript/bin/tsc");

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

let nativeStarts: ReturnType<typeof spawnSync> | undefined;
let folder: string;
let project: UserProject;
beforeAll(async () => {
  folder = await temporaryFolder();
  project = await linkedProject(folder);
  for (const name of ["@pulumi/pulumi", "@types/node"]) await addFromCheckout(project, name);
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "src", "index.ts"), PROGRAM);
  const mistakes = await readFile(join(CHECKOUT, "test/sdk/mistakes.ts"), "utf8");
  await writeFile(join(folder, "src", "mistakes.ts"), mistakes.replace("../../sdk/index.js", "pulumi-keyvault"));
}, 60_000);
afterAll(() => removeFolder(folder));

/** `bundler` is younger than the old TypeScript. */
const compilers: [title: string, compiler: string, resolution: Resolution][] = [
  ["TypeScript 4.9 with node16", OLD_TYPESCRIPT, "node16"],
  ["TypeScript 4.9 with nodenext", OLD_TYPESCRIPT, "nodenext"],
  ["the TypeScript we use with node16", OUR_TYPESCRIPT, "node16"],
  ["the TypeScript we use with nodenext", OUR_TYPESCRIPT, "nodenext"],
  ["the TypeScript we use with bundler", OUR_TYPESCRIPT, "bundler"],
  ["TypeScript 7 with node16", NATIVE_TYPESCRIPT, "node16"],
  ["TypeScript 7 with nodenext", NATIVE_TYPESCRIPT, "nodenext"],
  ["TypeScript 7 with bundler", NATIVE_TYPESCRIPT, "bundler"],
];

describe.each(compilers)("under %s", (_title, compiler, resolution) => {
  beforeEach(({ skip }) => skip(whyNot(compiler) !== "", whyNot(compiler)));

  test("a program type-checks, its mistakes do not, and every declaration file of ours does", async () => {
    const told = await compiled(compiler, resolution);
    expect(told.filter((line) => isOurs(line))).toEqual([]);
  }, 120_000);
});

describe.each([
  ["TypeScript 4.9", OLD_TYPESCRIPT],
  ["the TypeScript we use", OUR_TYPESCRIPT],
  ["TypeScript 7", NATIVE_TYPESCRIPT],
])("under %s", (_title, compiler) => {
  beforeEach(({ skip }) => skip(whyNot(compiler) !== "", whyNot(compiler)));

  test("the declarations lead to no types of libraries that we use inside", async () => {
    const files = (await compiled(compiler, "nodenext")).filter((line) => !line.includes("error TS"));
    expect(files.some((file) => file.endsWith("dist/sdk/index.d.ts"))).toBe(true);
    for (const library of NOT_OURS_TO_SHOW) {
      expect(files.filter((file) => file.includes(`/node_modules/${library}`))).toEqual([]);
    }
  }, 120_000);
});

/** The native compiler is made for some systems, and an optional package of npm's. */
function whyNot(compiler: string): string {
  if (compiler !== NATIVE_TYPESCRIPT) return "";
  nativeStarts ??= spawnSync(process.execPath, [compiler, "--version"], { encoding: "utf8" });
  return nativeStarts.status === 0 ? "" : `TypeScript 7 does not start here: ${nativeStarts.stderr}`;
}

/** What a compiler says of the files of others is not ours to mend: the newest `@types/node` is not made for an old TypeScript. */
function isOurs(line: string): boolean {
  return line.includes("error TS") && !/^(?:\.\.\/)*.*node_modules\/(?!pulumi-keyvault\/)/.test(line);
}

type Resolution = "node16" | "nodenext" | "bundler";

const compilations = new Map<string, Promise<string[]>>();

/** What a compiler says, and the files that it has read. */
function compiled(compiler: string, resolution: Resolution): Promise<string[]> {
  const name = `${compiler} ${resolution}`;
  const compilation = compilations.get(name) ?? compile(compiler, resolution);
  compilations.set(name, compilation);
  return compilation;
}

async function compile(compiler: string, resolution: Resolution): Promise<string[]> {
  const modules = ["--module", resolution === "bundler" ? "esnext" : resolution, "--moduleResolution", resolution];
  // The library that comes with the compiler is not ours.
  const checked = ["--strict", "--skipLibCheck", "false", "--skipDefaultLibCheck"];
  const options = [...checked, "--target", "es2022", "--noEmit", "--types", "node", "--listFiles", "--pretty", "false"];
  const finished = await promisify(execFile)(
    process.execPath,
    [compiler, ...modules, ...options, "src/index.ts", "src/mistakes.ts"],
    { cwd: project.folder, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: unknown) => {
    // A compiler that does not start says nothing there, which is no proof of anything.
    const stdout = error instanceof Error && "stdout" in error ? error.stdout : undefined;
    if (typeof stdout === "string" && stdout !== "") return { stdout };
    throw error;
  });
  return finished.stdout.split("\n").filter(Boolean);
}
