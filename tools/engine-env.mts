import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import {
  isLanguage,
  LanguageHostUnavailableError,
  provisionLanguage,
  UnknownLanguageError,
} from "./engine/language-host.mts";
import { ensurePassphraseFile } from "./engine/passphrase-file.mts";
import { addPluginCommand } from "./engine/plugin-command.mts";
import { EngineUnavailableError, provisionEngine } from "./engine/provision.mts";
import { shellLines } from "./engine/shell-lines.mts";
import { cacheFolder, dataFolder } from "./engine/user-folders.mts";

// npm run --silent engine:env [-- LANGUAGE…]: prints the shell lines that put the engine into anybody's own shell, for
// programs of other languages with their hosts and the plugin.

try {
  const languages = process.argv.slice(2);
  let engine = await provisionEngine();
  for (const language of languages) {
    if (!isLanguage(language)) throw new UnknownLanguageError(language);
    engine = await provisionLanguage(engine, language);
  }
  const pluginFolder = join(cacheFolder(process.env), "plugin");
  if (languages.length > 0) await addPluginCommand(pluginFolder);
  const data = dataFolder(process.env);
  const stateFolder = join(data, "state");
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const settings = {
    folders: languages.length > 0 ? [...engine.folders, pluginFolder] : engine.folders,
    stateFolder: (await isLoggedIn()) ? undefined : stateFolder,
    passphraseFile: await ensurePassphraseFile(data),
  };
  console.log(shellLines(settings, process.env).join("\n"));
} catch (error) {
  if (!isExpected(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function isExpected(error: unknown): error is Error {
  const kinds = [EngineUnavailableError, LanguageHostUnavailableError, UnknownLanguageError];
  return kinds.some((kind) => error instanceof kind);
}

/** Whether `pulumi login` has chosen a backend for this user. */
async function isLoggedIn(): Promise<boolean> {
  const home = process.env.PULUMI_HOME || join(homedir(), ".pulumi");
  try {
    const credentials = z.looseObject({ current: z.string().optional() });
    return !!credentials.parse(JSON.parse(await readFile(join(home, "credentials.json"), "utf8"))).current;
  } catch {
    return false;
  }
}
