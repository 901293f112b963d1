import { chmod, copyFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { isExecutable } from "./engine-folder.mts";
import { engineEnvironment, getPath } from "./environment.mts";
import { buildGoProgram, type GoProgram, moduleSources } from "./go-build.mts";
import { type Progress, stderrProgress } from "./progress.mts";
import { noteAttempt, provideFolder } from "./provided-folder.mts";
import type { Engine } from "./provision.mts";
import { run } from "./run.mts";
import { cacheFolder, type Environment } from "./user-folders.mts";
import { LANGUAGE_HOST_VERSIONS } from "./versions.mts";

/** A language of programs beside those of Node, whose host comes with the engine. */
export type Language = keyof typeof LANGUAGE_HOST_VERSIONS;

export const LANGUAGES: readonly Language[] = ["yaml", "python", "go"];

export function isLanguage(name: string): name is Language {
  return (LANGUAGES as readonly string[]).includes(name);
}

export class UnknownLanguageError extends Error {
  constructor(name: string) {
    super(`${name} is not one of the languages ${LANGUAGES.join(", ")}`);
    this.name = "UnknownLanguageError";
  }
}

const EXE = process.platform === "win32" ? ".exe" : "";
const PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3";
/** What the Python host starts `python` with: a script that ships in its module's sources. */
const PYTHON_RUNNER = "pulumi-language-python-exec";

const hosts: Record<Language, Omit<GoProgram, "module" | "binary" | "version">> = {
  yaml: {
    package: "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    versionVariable: "github.com/pulumi/pulumi-yaml/pkg/version.Version",
  },
  python: { package: `${PULUMI_SDK}/python/cmd/pulumi-language-python` },
  go: { package: `${PULUMI_SDK}/go/pulumi-language-go` },
};

/** No way led to the host of a language. The message lists each that was tried, and what to do. */
export class LanguageHostUnavailableError extends Error {
  constructor(language: Language, attempts: readonly string[]) {
    super(
      [
        `There is no pulumi-language-${language} on this machine, and none could be provisioned. What was tried:`,
        ...attempts.map((attempt) => `  - ${attempt}`),
        "Do one of these, then run the command again:",
        "  - install Pulumi (https://www.pulumi.com/docs/install/), which brings the hosts of all languages, and put it on PATH",
        "  - install Go and let it reach its module proxy (GOPROXY)",
      ].join("\n"),
    );
    this.name = "LanguageHostUnavailableError";
  }
}

/**
 * `engine` with the host of `language` on its PATH: one beside the engine or on PATH, in the cache, or built from its
 * Go modules. Safe to call from any number of processes at once.
 */
export async function provisionLanguage(
  engine: Engine,
  language: Language,
  options: { env?: Environment; progress?: Progress } = {},
): Promise<Engine> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? stderrProgress();
  const program = goProgram(language);
  const attempts: string[] = [];

  const path = [...engine.folders, ...getPath(env).split(delimiter)].filter(Boolean);
  const onPath = await findHost(program.binary, path, env).catch((e: unknown) => noteAttempt(attempts, "on PATH", e));
  if (onPath) return withFolder(engine, onPath, env);

  const made = await provideFolder({
    parent: join(cacheFolder(env), "language-hosts"),
    name: `${language}-${program.version}`,
    title: program.binary,
    version: `${program.binary} ${program.version}`,
    check: (folder) => checkHost(folder, language, env),
    ways: [{ source: "go modules", fill: (target) => build(program, language, target, env, progress) }],
    progress,
    attempts,
  });
  if (made === undefined) throw new LanguageHostUnavailableError(language, attempts);
  return withFolder(engine, made.folder, env);
}

function goProgram(language: Language): GoProgram {
  return {
    ...hosts[language],
    module: `language-${language}`,
    binary: `pulumi-language-${language}${EXE}`,
    version: LANGUAGE_HOST_VERSIONS[language],
  };
}

async function build(
  program: GoProgram,
  language: Language,
  folder: string,
  env: Environment,
  progress: Progress,
): Promise<void> {
  await buildGoProgram(program, folder, env, progress);
  if (language !== "python") return;
  const sources = await moduleSources(program, PULUMI_SDK, env);
  const runner = join(folder, PYTHON_RUNNER);
  await copyFile(join(sources, "python", "cmd", PYTHON_RUNNER), runner);
  await chmod(runner, 0o755);
}

/** The folder of the first host in `folders`. */
async function findHost(binary: string, folders: readonly string[], env: Environment): Promise<string> {
  for (const folder of folders) {
    const file = join(folder, binary);
    if (!(await isExecutable(file))) continue;
    await checkRuns(file, env);
    return dirname(file);
  }
  throw new Error(`no ${binary} beside the engine or on PATH`);
}

async function checkHost(folder: string, language: Language, env: Environment): Promise<void> {
  const { binary } = goProgram(language);
  for (const part of language === "python" ? [binary, PYTHON_RUNNER] : [binary]) {
    if (!(await isExecutable(join(folder, part)))) throw new Error(`${part} is missing in ${folder}`);
  }
  await checkRuns(join(folder, binary), env);
}

const SLOW_START_MS = 20_000;
/** Go's exit code after it has shown how a program is used, in versions that count that as a mistake. */
const SHOWED_USAGE = 2;

async function checkRuns(file: string, env: Environment): Promise<void> {
  const { exitCode, stderr } = await run(file, ["-help"], { env, timeoutMs: SLOW_START_MS });
  if (exitCode !== 0 && exitCode !== SHOWED_USAGE) {
    throw new Error(`${file} does not run: exit code ${exitCode}. ${stderr}`.trim());
  }
}

function withFolder(engine: Engine, folder: string, env: Environment): Engine {
  const [binDir, ...others] = engine.folders;
  const folders = [binDir, ...new Set([...others, folder].filter((other) => other !== binDir))] as const;
  return { ...engine, folders, env: engineEnvironment(env, folders) };
}
