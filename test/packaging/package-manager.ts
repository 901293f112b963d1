import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { provideFolder } from "../../tools/engine/provided-folder.mts";
import { run } from "../../tools/engine/run.mts";
import { cacheFolder } from "../../tools/engine/user-folders.mts";
import { CHECKOUT } from "./packed-package.js";

/** How a project comes by its packages. Each lays them out in its own way: flat, as links into a store, or in archives. */
export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

/** The program, or the registry that it would ask, cannot be had on this machine. Its tests are skipped for it. */
export class ProgramUnavailableError extends Error {}

export interface InstalledFolder {
  folder: string;
  /** What `node` needs in its environment, so that it finds the packages. */
  env: Record<string, string>;
  /** What a command that the package brings prints, called as this manager's users call it. */
  runCommand(...command: string[]): Promise<string>;
}

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const silent = { timeoutMs: 240_000 };
const root = join(cacheFolder(process.env), "package-managers");

/** Where each keeps what it has downloaded: beside the managers, and not in the home of whoever runs the tests. */
const SETTINGS = {
  YARN_GLOBAL_FOLDER: join(root, "downloads", "yarn"),
  YARN_ENABLE_TELEMETRY: "0",
  YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
  BUN_INSTALL_CACHE_DIR: join(root, "downloads", "bun"),
};

const INSTALL: Record<PackageManager, readonly string[]> = {
  npm: ["install", "--prefer-offline", "--no-audit", "--no-fund"],
  pnpm: ["install", "--prefer-offline", "--store-dir", join(root, "downloads", "pnpm")],
  yarn: ["install"],
  bun: ["install"],
};

const EXECUTE: Record<PackageManager, readonly string[]> = {
  npm: ["exec", "--no", "--"],
  pnpm: ["exec"],
  yarn: ["run"],
  bun: ["run"],
};

/** A project of its own in `folder` that has installed `dependencies` with `manager`. */
export async function installWith(
  manager: PackageManager,
  folder: string,
  dependencies: Record<string, string>,
): Promise<InstalledFolder> {
  const [program, ...first] = await provide(manager);
  const env = { ...process.env, ...SETTINGS };
  const call = async (...args: string[]): Promise<string> => {
    const finished = await run(program, [...first, ...args], { cwd: folder, env, ...silent });
    if (finished.exitCode === 0) return finished.stdout;
    const said = `${manager} ${args[0]} ended with ${finished.exitCode}: ${finished.stdout}${finished.stderr}`;
    throw isWithoutRegistry(said)
      ? new ProgramUnavailableError(`the registry is out of reach: ${said}`)
      : new Error(said);
  };

  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "program", private: true, dependencies }));
  if (manager === "yarn") {
    // It takes the folder for a part of the project that it finds above, unless it has a lock file.
    await writeFile(join(folder, "yarn.lock"), "");
    await writeFile(join(folder, ".yarnrc.yml"), "nodeLinker: pnp\n");
  }
  if (manager === "pnpm") {
    // A build script of `protobufjs`, which nothing needs, is not run; by itself pnpm calls that a failure.
    await writeFile(join(folder, "pnpm-workspace.yaml"), "strictDepBuilds: false\n");
  }
  await call(...INSTALL[manager]);
  // Yarn's packages stay in archives, which Node reads by two hooks: `yarn exec pulumi up` sets them for Pulumi, too.
  const options = manager === "yarn" ? await call("node", "-p", "process.env.NODE_OPTIONS") : "";
  return {
    folder,
    env: options === "" ? {} : { NODE_OPTIONS: options.trim() },
    runCommand: (...command) => call(...EXECUTE[manager], ...command),
  };
}

/** Whether it failed for want of a registry, which is no fault of anything that is tried. */
export function isWithoutRegistry(said: string): boolean {
  return /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ConnectionRefused|error sending request/.test(said);
}

/** The words that start a manager: npm as it is there, the others as their lock files name them. */
async function provide(manager: PackageManager): Promise<[string, ...string[]]> {
  return [manager === "npm" ? npm : await provideProgram(manager)];
}

/** The path of a program as its lock file in `programs/` names it, installed once for this user. */
export async function provideProgram(program: "pnpm" | "yarn" | "bun" | "node"): Promise<string> {
  const source = join(CHECKOUT, "test/packaging/programs", program);
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await readFile(join(source, "package.json"), "utf8")));
  const [version = ""] = Object.values(dependencies);
  const binary = (folder: string) => join(folder, "node_modules", ".bin", program);
  const attempts: string[] = [];
  const made = await provideFolder({
    parent: root,
    name: `${program}-${version}`,
    title: program,
    version: `${program} ${version}`,
    check: async (folder) => {
      const { exitCode, stdout } = await run(binary(folder), ["--version"], { env: process.env, ...silent });
      if (exitCode !== 0 || !stdout.includes(version)) throw new Error(`${program} in ${folder} does not run`);
    },
    ways: [
      {
        source: "npm registry",
        fill: async (folder) => {
          for (const file of ["package.json", "package-lock.json"])
            await copyFile(join(source, file), join(folder, file));
          // Not `npm ci`, which refuses a lock file without packages for platforms that not every registry has.
          const args = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
          const finished = await run(npm, args, { cwd: folder, env: process.env, ...silent });
          if (finished.exitCode !== 0) throw new Error(finished.stderr);
        },
      },
    ],
    // A line in a test fails it; the reason is in the error.
    progress: { say: () => {}, update: () => {} },
    attempts,
  });
  if (made === undefined) throw new ProgramUnavailableError(`${program} cannot be had: ${attempts.join("; ")}`);
  return binary(made.folder);
}
