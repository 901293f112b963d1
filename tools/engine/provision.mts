import { join } from "node:path";
import { checkEngineFolder } from "./engine-folder.mts";
import { findEngineOnPath } from "./engine-on-path.mts";
import { engineEnvironment } from "./environment.mts";
import { buildFromGoModules } from "./go-build.mts";
import { type Progress, stderrProgress } from "./progress.mts";
import { noteAttempt, provideFolder } from "./provided-folder.mts";
import { installRelease, type ReleaseSites } from "./release-archive.mts";
import { cacheFolder, type Environment } from "./user-folders.mts";
import { CLI_VERSION, OLDEST_CLI_VERSION } from "./versions.mts";

/** A Pulumi CLI and its Node language host that run on this machine. */
export interface Engine {
  /** The folder of `pulumi`. */
  binDir: string;
  /** All folders that have to be on PATH; `binDir` is the first. */
  folders: readonly [string, ...string[]];
  version: string;
  source: "path" | "cache" | "official release" | "go modules";
  /** The environment to start `pulumi` in: PATH, and no look at the network. */
  env: Record<string, string>;
}

export interface ProvisionOptions {
  /** Default: any on PATH that is not too old, else the newest that is known to do. `oldest`: the oldest one supported. */
  version?: "newest" | "oldest";
  env?: Environment;
  progress?: Progress;
  sites?: ReleaseSites;
}

/** No way led to an engine. The message lists each that was tried, and what to do. */
export class EngineUnavailableError extends Error {
  readonly attempts: readonly string[];

  constructor(attempts: readonly string[]) {
    super(
      [
        "There is no Pulumi engine on this machine, and none could be provisioned. What was tried:",
        ...attempts.map((attempt) => `  - ${attempt}`),
        "Do one of these, then run the command again:",
        `  - install Pulumi ${OLDEST_CLI_VERSION} or newer (https://www.pulumi.com/docs/install/) and put it on PATH`,
        "  - let this machine reach get.pulumi.com and github.com (HTTPS_PROXY is honoured)",
        "  - install Go and let it reach its module proxy (GOPROXY)",
      ].join("\n"),
    );
    this.name = "EngineUnavailableError";
    this.attempts = attempts;
  }
}

/**
 * Finds a Pulumi engine, or makes one: on PATH, in the cache, from the official release, from its Go modules. What is on
 * PATH is taken whatever its version; where the oldest is asked for, only that one.
 *
 * Safe to call from any number of processes at once: one does the work and the others wait for it. A folder enters the
 * cache whole, by a rename, after its engine has run.
 */
export async function provisionEngine(options: ProvisionOptions = {}): Promise<Engine> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? stderrProgress();
  const attempts: string[] = [];

  const version = options.version === "oldest" ? OLDEST_CLI_VERSION : CLI_VERSION;
  const onPath = await findEngineOnPath(env).catch((error: unknown) => noteAttempt(attempts, "on PATH", error));
  if (onPath && (options.version !== "oldest" || onPath.version === version))
    return engine("path", onPath.version, onPath.folders, env);

  const engines = join(cacheFolder(env), "engine");
  const made = await provideFolder({
    parent: engines,
    name: version,
    title: "the Pulumi engine",
    version: `Pulumi ${version}`,
    check: (folder) => checkVersion(folder, version, env),
    ways: [
      { source: "official release", fill: (target) => installRelease(version, target, env, progress, options.sites) },
      { source: "go modules", fill: (target) => buildFromGoModules(version, target, env, progress) },
    ],
    progress,
    attempts,
  });
  if (made === undefined) throw new EngineUnavailableError(attempts);
  return engine(made.source, made.checked, [made.folder], env);
}

async function checkVersion(folder: string, wanted: string, env: Environment): Promise<string> {
  const version = await checkEngineFolder(folder, env);
  if (version !== wanted) throw new Error(`pulumi in ${folder} is ${version}, not ${wanted}`);
  return version;
}

type Folders = Engine["folders"];

function engine(source: Engine["source"], version: string, folders: Folders, env: Environment): Engine {
  return { binDir: folders[0], folders, version, source, env: engineEnvironment(env, folders) };
}
