import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addDynamicHost, CLI, LANGUAGE_HOST } from "./engine-folder.mts";
import { elapsed, type Progress } from "./progress.mts";
import { type Finished, run } from "./run.mts";
import type { Environment } from "./user-folders.mts";
import { CLI_VERSION, findVersion, isAtLeast, LANGUAGE_HOST_VERSION, OLDEST_CLI_VERSION } from "./versions.mts";

export interface GoProgram {
  /** The folder with its go.mod and go.sum, under `tools/engine/`. */
  module: string;
  package: string;
  binary: string;
  version: string;
  /** The variable by which the program knows its version. Default: that of Pulumi's own repository. */
  versionVariable?: string;
}

const NODE_HOST: GoProgram = {
  module: "language-nodejs",
  package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  binary: LANGUAGE_HOST,
  version: LANGUAGE_HOST_VERSION,
};

/** The folder with go.mod and go.sum of each CLI that can be built. */
const CLI_MODULES: Readonly<Record<string, string>> = { [CLI_VERSION]: "cli", [OLDEST_CLI_VERSION]: "cli-oldest" };

const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const TAGS = "osusergo,grpcnotrace";

/** Settings for a Go program in which what it shares with an engine that was built here is not compiled again. */
export const SHARED_BUILD_SETTINGS = {
  CGO_ENABLED: "0",
  GOWORK: "off",
  GOFLAGS: `-trimpath -tags=${TAGS} -ldflags=-w`,
};

const SILENCE_WHILE_DOWNLOADING_MS = 3 * 60_000;
/** Linking says nothing and takes minutes on a slow machine. */
const SILENCE_WHILE_BUILDING_MS = 15 * 60_000;
const SHORT_MS = 60_000;

/** Builds the engine of `version` from its Go modules into `folder`. */
export async function buildFromGoModules(
  version: string,
  folder: string,
  env: Environment,
  progress: Progress,
): Promise<void> {
  const module = CLI_MODULES[version];
  if (module === undefined) throw new Error(`there is no go.mod for pulumi ${version}`);
  const cli = { module, package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", binary: CLI, version };
  for (const program of [NODE_HOST, cli]) await buildGoProgram(program, folder, env, progress);
  await addDynamicHost(folder);
}

/** Builds one program into `folder`. Each module's content has to match the committed go.sum. */
export async function buildGoProgram(
  program: GoProgram,
  folder: string,
  env: Environment,
  progress: Progress,
): Promise<void> {
  const cwd = moduleFolder(program);
  const goEnv = goEnvironment(env);
  await checkGo(cwd, goEnv);
  const count = await downloadModules(program, cwd, goEnv, progress);
  await compile(program, join(folder, program.binary), cwd, goEnv, progress, count);
}

/** Where Go keeps the sources of a module that `program` is built of. */
export async function moduleSources(program: GoProgram, module: string, env: Environment): Promise<string> {
  const args = ["list", "-m", "-f", "{{.Dir}}", module];
  const finished = await run("go", args, { cwd: moduleFolder(program), env: goEnvironment(env), timeoutMs: SHORT_MS });
  if (finished.exitCode !== 0) throw new Error(`the sources of ${module} are missing: ${lastLine(finished.stderr)}`);
  return finished.stdout.trim();
}

function moduleFolder({ module }: GoProgram): string {
  return join(import.meta.dirname, module);
}

function goEnvironment(env: Environment): Environment {
  return {
    ...env,
    CGO_ENABLED: "0",
    GOWORK: "off",
    // Replaces flags of the user's own: nothing but go.mod and go.sum decides what is built.
    GOFLAGS: "-mod=readonly",
  };
}

async function checkGo(cwd: string, env: Environment): Promise<void> {
  const needed = /^go (\S+)$/m.exec(await readFile(join(cwd, "go.mod"), "utf8"))?.[1] ?? "";
  const remedy = `install Go ${needed} or newer from https://go.dev/dl/`;
  // In the module's folder, so that a Go which fetches newer toolchains by itself can do so.
  const finished = await run("go", ["env", "GOVERSION"], { cwd, env, timeoutMs: SHORT_MS }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new Error(`no go on PATH: ${remedy}`);
    throw error;
  });
  const version = findVersion(finished.stdout);
  if (finished.exitCode !== 0) throw new Error(`${lastLine(finished.stderr)}: ${remedy}`);
  if (version === undefined || !isAtLeast(version, needed)) {
    throw new Error(`go on PATH is ${version ?? "of an unknown version"}: ${remedy}`);
  }
}

/** Fetches what the program is made of. Gives the number of packages there are to compile. */
async function downloadModules(program: GoProgram, cwd: string, env: Environment, progress: Progress): Promise<number> {
  const startedAt = Date.now();
  let modules = 0;
  const finished = await run("go", ["list", "-deps", "-tags", TAGS, program.package], {
    cwd,
    env,
    silenceMs: SILENCE_WHILE_DOWNLOADING_MS,
    onErrorLine: (line) => {
      if (!line.startsWith("go: downloading ")) return;
      modules += 1;
      progress.update(`  ${program.binary}: downloading Go module ${modules}, ${elapsed(startedAt)}`);
    },
  });
  if (finished.exitCode !== 0) throw new Error(`the Go modules could not be had: ${lastLine(finished.stderr)}`);
  return finished.stdout.trim().split("\n").length;
}

async function compile(
  program: GoProgram,
  target: string,
  cwd: string,
  env: Environment,
  progress: Progress,
  count: number,
): Promise<void> {
  const startedAt = Date.now();
  const version = `${program.versionVariable ?? VERSION_VARIABLE}=v${program.version}`;
  const args = ["build", "-v", "-trimpath", "-buildvcs=false", "-tags", TAGS, "-ldflags", `-s -w -X ${version}`];
  let compiled = 0;
  const show = () =>
    progress.update(`  ${program.binary} ${program.version}: package ${compiled} of ${count}, ${elapsed(startedAt)}`);
  // The last package is the program itself, and linking it takes a while in silence.
  const clock = setInterval(show, 1_000);
  try {
    const finished = await run("go", [...args, "-o", target, program.package], {
      cwd,
      env,
      silenceMs: SILENCE_WHILE_BUILDING_MS,
      onErrorLine: (line) => {
        if (PACKAGE.test(line)) compiled += 1;
      },
    });
    if (finished.exitCode !== 0) throw new Error(`go build of ${program.binary} failed: ${reasons(finished)}`);
  } finally {
    clearInterval(clock);
  }
  progress.say(`  ${program.binary} ${program.version} built in ${elapsed(startedAt)}`);
}

/** What `-v` prints of each package that it compiles. */
const PACKAGE = /^[\w./~-]+$/;

/** Go prints a mistake, and then goes on with the packages that do not need the one that has it. */
function reasons({ exitCode, stderr }: Finished): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !PACKAGE.test(line));
  return lines.slice(-5).join("; ") || (exitCode < 0 ? "it was ended from outside" : `exit code ${exitCode}`);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
