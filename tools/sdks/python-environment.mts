import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Progress, stderrProgress } from "../engine/progress.mts";
import { provideFolder } from "../engine/provided-folder.mts";
import { run } from "../engine/run.mts";
import { cacheFolder, type Environment } from "../engine/user-folders.mts";

/** Pulumi's own SDK for Python, and what the generated one needs to be installed beside it. */
const PULUMI_VERSION = "3.272.0";
const PACKAGES = [`pulumi==${PULUMI_VERSION}`, "parver==0.5", "setuptools==80.9.0"];

const INSTALLATION_MS = 10 * 60_000;

/** There is no Python with Pulumi's SDK, and none could be made. The message says why. */
export class PythonUnavailableError extends Error {
  constructor(attempts: readonly string[]) {
    super(
      [
        "There is no Python with Pulumi's SDK:",
        ...attempts.map((attempt) => `  - ${attempt}`),
        "Install Python 3.10 or newer, and let pip reach its package index.",
      ].join("\n"),
    );
    this.name = "PythonUnavailableError";
  }
}

/** A virtual environment with Pulumi's SDK, kept in the cache. Programs only read it. */
export async function provisionPython(options: { env?: Environment; progress?: Progress } = {}): Promise<string> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? stderrProgress();
  const attempts: string[] = [];
  const made = await provideFolder({
    parent: join(cacheFolder(env), "python"),
    name: `pulumi-${PULUMI_VERSION}`,
    title: "Pulumi's SDK for Python",
    version: `Pulumi's SDK for Python ${PULUMI_VERSION}`,
    check: (folder) => python(folder, env, ["-c", "import pulumi, parver, setuptools"]),
    ways: [
      {
        source: "package index",
        fill: async (folder) => {
          await succeeds("python3", ["-m", "venv", folder], env);
          await python(folder, env, ["-m", "pip", "install", "--disable-pip-version-check", ...PACKAGES]);
        },
      },
    ],
    progress,
    attempts,
  });
  if (made === undefined) throw new PythonUnavailableError(attempts);
  return made.folder;
}

/** Builds the wheel of the generated SDK in `sdk` into `target`, and needs no package index for it. Gives its path. */
export async function buildWheel(environment: string, sdk: string, target: string, env: Environment): Promise<string> {
  // pip builds in the folder of the sources, and this one is shared.
  const sources = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
  try {
    await cp(sdk, sources, { recursive: true });
    const options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"];
    await python(environment, env, ["-m", "pip", "wheel", ...options, "--wheel-dir", target, sources]);
  } finally {
    await rm(sources, { recursive: true, force: true });
  }
  const wheel = (await readdir(target)).find((name) => /^pulumi_keyvault-.*\.whl$/.test(name));
  if (wheel === undefined) throw new Error("pip has made no wheel of the SDK");
  return join(target, wheel);
}

/** Installs the generated SDK in `sdk` as a wheel into `target`, which a program finds it in by PYTHONPATH. */
export async function installSdk(environment: string, sdk: string, target: string, env: Environment): Promise<void> {
  const wheels = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
  try {
    const wheel = await buildWheel(environment, sdk, wheels, env);
    const options = ["--no-deps", "--no-index", "--upgrade", "--disable-pip-version-check"];
    await python(environment, env, ["-m", "pip", "install", ...options, "--target", target, wheel]);
  } finally {
    await rm(wheels, { recursive: true, force: true });
  }
}

/** Where an environment's `python` is. */
export function pythonFolder(environment: string): string {
  return join(environment, process.platform === "win32" ? "Scripts" : "bin");
}

async function python(environment: string, env: Environment, args: readonly string[]): Promise<void> {
  await succeeds(join(pythonFolder(environment), "python"), args, env);
}

async function succeeds(command: string, args: readonly string[], env: Environment): Promise<void> {
  const finished = await run(command, args, { env, timeoutMs: INSTALLATION_MS });
  if (finished.exitCode !== 0) throw new Error(finished.stderr.trim().split("\n").at(-1));
}
