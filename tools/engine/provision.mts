import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkEngineFolder } from "./engine-folder.mts";
import { findEngineOnPath } from "./engine-on-path.mts";
import { engineEnvironment } from "./environment.mts";
import { buildFromGoModules } from "./go-build.mts";
import { withLock } from "./lock.mts";
import { elapsed, type Progress, stderrProgress } from "./progress.mts";
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

const STAGING = ".staging-";

/**
 * Finds a Pulumi engine, or makes one: on PATH, in the cache, from the official release, from its Go modules.
 *
 * Safe to call from any number of processes at once: one does the work and the others wait for it. A folder enters the
 * cache whole, by a rename, after its engine has run.
 */
export async function provisionEngine(options: ProvisionOptions = {}): Promise<Engine> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? stderrProgress();
  const attempts: string[] = [];

  const onPath = await findEngineOnPath(env).catch((error: unknown) => note(attempts, "on PATH", error));
  if (onPath) return engine("path", onPath.version, onPath.folders, env);

  const engines = join(cacheFolder(env), "engine");
  const folder = join(engines, CLI_VERSION);
  const fromCache = () => checkEngineFolder(folder, env);
  const cached = await fromCache().catch((error: unknown) => note(attempts, "in the cache", error));
  if (cached) return engine("cache", cached, [folder], env);

  await mkdir(engines, { recursive: true }).catch((error: unknown) => {
    throw new Error(`the cache folder ${engines} cannot be written: ${messageOf(error)}`);
  });
  const startedAt = Date.now();
  const onWait = () =>
    progress.update(`Another process is provisioning the Pulumi engine; waiting for it (${elapsed(startedAt)})`);
  return withLock(join(engines, `${CLI_VERSION}.lock`), onWait, async () => {
    const madeMeanwhile = await fromCache().catch(() => undefined);
    if (madeMeanwhile) return engine("cache", madeMeanwhile, [folder], env);
    await removeLeftovers(engines);

    const ways = [
      { source: "official release", fill: (target: string) => installRelease(target, env, progress, options.sites) },
      { source: "go modules", fill: (target: string) => buildFromGoModules(target, env, progress) },
    ] as const;
    for (const { source, fill } of ways) {
      progress.say(`Provisioning Pulumi ${CLI_VERSION} from the ${source} (once; kept in ${engines})`);
      const staging = await mkdtemp(join(engines, STAGING));
      try {
        await fill(staging);
        const version = await checkEngineFolder(staging, env);
        await rm(folder, { recursive: true, force: true });
        await rename(staging, folder);
        progress.say(`Pulumi ${version} is ready (${elapsed(startedAt)})`);
        return engine(source, version, [folder], env);
      } catch (error) {
        note(attempts, `from the ${source}`, error);
        progress.say(`  not possible: ${messageOf(error)}`);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    }
    throw new EngineUnavailableError(attempts);
  });
}

type Folders = Engine["folders"];

function engine(source: Engine["source"], version: string, folders: Folders, env: Environment): Engine {
  return { binDir: folders[0], folders, version, source, env: engineEnvironment(env, folders) };
}

/** What a killed process left. Whoever holds the lock may remove it: nobody else is at work. */
async function removeLeftovers(engines: string): Promise<void> {
  for (const name of await readdir(engines)) {
    if (name.startsWith(STAGING)) await rm(join(engines, name), { recursive: true, force: true });
  }
}

function note(attempts: string[], where: string, error: unknown): undefined {
  attempts.push(`${where}: ${messageOf(error)}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
