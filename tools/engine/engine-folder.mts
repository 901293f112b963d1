import { constants } from "node:fs";
import { access, chmod, copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "./run.mts";
import type { Environment } from "./user-folders.mts";
import { findVersion, isAtLeast, OLDEST_CLI_VERSION } from "./versions.mts";

const WINDOWS = process.platform === "win32";

export const CLI = WINDOWS ? "pulumi.exe" : "pulumi";
export const LANGUAGE_HOST = WINDOWS ? "pulumi-language-nodejs.exe" : "pulumi-language-nodejs";
/** Starts the host of dynamic providers. A script, not a program: it ships in the root of `@pulumi/pulumi`. */
export const DYNAMIC_HOST = WINDOWS ? "pulumi-resource-pulumi-nodejs.cmd" : "pulumi-resource-pulumi-nodejs";

const SLOW_START_MS = 20_000;

/** The folder of the installed `@pulumi/pulumi`. */
export function sdkFolder(): string {
  return dirname(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
}

/** Puts the dynamic host beside the binaries, where the engine looks first. */
export async function addDynamicHost(folder: string): Promise<void> {
  const target = join(folder, DYNAMIC_HOST);
  await copyFile(join(sdkFolder(), DYNAMIC_HOST), target);
  await chmod(target, 0o755);
}

/** The version of the CLI at `file`. Throws, with the reason, when it does not run or is too old for us. */
export async function checkCli(file: string, env: Environment): Promise<string> {
  const finished = await run(file, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: SLOW_START_MS,
  });
  const version = findVersion(finished.stdout);
  if (finished.exitCode !== 0 || version === undefined) {
    throw new Error(`${file} does not run: exit code ${finished.exitCode}. ${finished.stderr}`.trim());
  }
  if (!isAtLeast(version, OLDEST_CLI_VERSION)) {
    throw new Error(`${file} is ${version}; ${OLDEST_CLI_VERSION} or newer is needed`);
  }
  return version;
}

/** The version of the engine whose parts are all in `folder`. Throws, with the reason, when one is missing or does not run. */
export async function checkEngineFolder(folder: string, env: Environment): Promise<string> {
  for (const part of [CLI, LANGUAGE_HOST, DYNAMIC_HOST]) {
    if (!(await isExecutable(join(folder, part)))) throw new Error(`${part} is missing in ${folder}`);
  }
  return checkCli(join(folder, CLI), env);
}

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
