import { createHash } from "node:crypto";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { buildGoProgram, type GoProgram } from "../engine/go-build.mts";
import { type Progress, stderrProgress } from "../engine/progress.mts";
import { provideFolder } from "../engine/provided-folder.mts";
import { run } from "../engine/run.mts";
import { cacheFolder, type Environment } from "../engine/user-folders.mts";
import { OLDEST_CLI_VERSION } from "../engine/versions.mts";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const SDK_LANGUAGES = ["nodejs", "python", "go"] as const;

const GENERATOR: GoProgram = {
  module: "../sdks/generator",
  package: ".",
  binary: process.platform === "win32" ? "sdk-generator.exe" : "sdk-generator",
  // Newer generators write Go that an older SDK does not compile: those of the oldest serve them all.
  version: OLDEST_CLI_VERSION,
};

/** What tells that an SDK is whole. The generator of Go leaves the module's file to whoever publishes it. */
const PARTS = ["nodejs/package.json", "python/pyproject.toml", "go/keyvault/go.mod"];

/** The SDKs could not be made. The message says why, and what to do. */
export class SdksUnavailableError extends Error {
  constructor(attempts: readonly string[]) {
    super(
      [
        "The SDKs of the plugin could not be made:",
        ...attempts.map((attempt) => `  - ${attempt}`),
        "Pulumi's generators are written in Go: install Go, and let it reach its module proxy (GOPROXY).",
      ].join("\n"),
    );
    this.name = "SdksUnavailableError";
  }
}

/**
 * A folder with the SDKs of the built plugin, made by Pulumi's own generators: `nodejs/`, `python/` and `go/keyvault/`.
 * It is kept in the cache for as long as neither schema nor generator changes.
 */
export async function provisionSdks(options: { env?: Environment; progress?: Progress } = {}): Promise<string> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? stderrProgress();
  const schema = pluginSchema();
  const digest = await digestOf(schema);
  const attempts: string[] = [];
  const made = await provideFolder({
    parent: join(cacheFolder(env), "sdks"),
    name: digest,
    title: "the set of SDKs",
    version: "the set of SDKs",
    check: async (folder) => {
      for (const part of PARTS) await access(join(folder, part));
    },
    ways: [{ source: "schema", fill: (folder) => generate(schema, folder, env, progress) }],
    progress,
    attempts,
  });
  if (made === undefined) throw new SdksUnavailableError(attempts);
  return made.folder;
}

async function generate(schema: string, folder: string, env: Environment, progress: Progress): Promise<void> {
  const build = join(folder, ".generator");
  await buildGoProgram(GENERATOR, build, env, progress);
  const finished = await run(join(build, GENERATOR.binary), [folder, ...SDK_LANGUAGES], { env, input: schema });
  if (finished.exitCode !== 0) throw new Error(finished.stderr);
  await rm(build, { recursive: true });
  await writeFile(join(folder, "go", "keyvault", "go.mod"), goModule(schema));
}

/** The generated code needs no more than these; the versions that a program takes are those of its own go.mod, and newer. */
function goModule(schema: string): string {
  const { importBasePath } = z
    .object({ language: z.object({ go: z.object({ importBasePath: z.string() }) }) })
    .parse(JSON.parse(schema)).language.go;
  return [
    `module ${importBasePath}`,
    "",
    "go 1.24",
    "",
    "require (",
    "\tgithub.com/blang/semver v3.5.1+incompatible",
    `\tgithub.com/pulumi/pulumi/sdk/v3 v${OLDEST_CLI_VERSION}`,
    ")",
    "",
  ].join("\n");
}

function pluginSchema(): string {
  const load = createRequire(import.meta.url);
  const { version } = load(join(CHECKOUT, "package.json"));
  const { packageSchema } = load(join(CHECKOUT, "dist/plugin/schema/package-schema.js"));
  return JSON.stringify(packageSchema(version));
}

async function digestOf(schema: string): Promise<string> {
  const hash = createHash("sha256").update(schema);
  for (const source of ["generator/main.go", "generator/go.sum", "provision-sdks.mts"]) {
    hash.update(await readFile(join(import.meta.dirname, source)));
  }
  return hash.digest("hex").slice(0, 16);
}
