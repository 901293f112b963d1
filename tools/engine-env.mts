import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ensurePassphraseFile } from "./engine/passphrase-file.mts";
import { EngineUnavailableError, provisionEngine } from "./engine/provision.mts";
import { shellLines } from "./engine/shell-lines.mts";
import { dataFolder } from "./engine/user-folders.mts";

// npm run --silent engine:env: prints the shell lines that put the engine into anybody's own shell.

try {
  const engine = await provisionEngine();
  const data = dataFolder(process.env);
  const stateFolder = join(data, "state");
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const settings = {
    folders: engine.folders,
    stateFolder: (await isLoggedIn()) ? undefined : stateFolder,
    passphraseFile: await ensurePassphraseFile(data),
  };
  console.log(shellLines(settings, process.env).join("\n"));
} catch (error) {
  if (!(error instanceof EngineUnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
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
