import { devNull } from "node:os";
import { delimiter, join } from "node:path";
import { getPath } from "../engine/environment.mts";
import { SHARED_BUILD_SETTINGS } from "../engine/go-build.mts";
import { type Language, provisionLanguage } from "../engine/language-host.mts";
import { addPluginCommand } from "../engine/plugin-command.mts";
import { stderrProgress } from "../engine/progress.mts";
import type { Engine } from "../engine/provision.mts";
import { run } from "../engine/run.mts";
import { installSdk, provisionPython, pythonFolder } from "../sdks/python-environment.mts";
import { writeSdks } from "../sdks/write-sdks.mts";

/** What a program in `language` needs: its host, the plugin, and where it has one its SDK. Gives the environment to run it in. */
export async function prepareLanguage(
  engine: Engine,
  language: Language,
  demoFolder: string,
): Promise<Record<string, string>> {
  const { env } = await provisionLanguage(engine, language);
  const plugin = join(demoFolder, "plugin");
  await addPluginCommand(plugin);
  const withPlugin = { ...env, PATH: [plugin, getPath(env)].join(delimiter) };
  if (language === "yaml") return withPlugin;
  const sdks = await writeSdks();
  if (language === "go") return compiled({ ...withPlugin, ...SHARED_BUILD_SETTINGS });
  const environment = await provisionPython();
  const site = join(demoFolder, "python");
  await installSdk(environment, join(sdks, "python"), site, env);
  const path = [pythonFolder(environment), withPlugin.PATH].join(delimiter);
  return { ...withPlugin, PATH: path, PYTHONPATH: site, PYTHONDONTWRITEBYTECODE: "1" };
}

const PROGRAM = join(import.meta.dirname, "..", "..", "examples", "go", "import-key");

/** The engine says nothing while a program is compiled, which takes minutes the first time. */
async function compiled(env: Record<string, string>): Promise<Record<string, string>> {
  stderrProgress().say("Compiling examples/go/import-key (the first time takes some minutes)");
  const { exitCode, stderr } = await run("go", ["build", "-o", devNull, "."], { cwd: PROGRAM, env });
  if (exitCode !== 0) throw new Error(`go build of ${PROGRAM} failed: ${stderr}`);
  return env;
}
