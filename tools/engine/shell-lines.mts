import { delimiter } from "node:path";
import { pathToFileURL } from "node:url";
import { nodeFolder, OFFLINE_SETTINGS } from "./environment.mts";
import type { Environment } from "./user-folders.mts";

export interface ShellSettings {
  /** The folders that come first on PATH. */
  folders: readonly string[];
  /** Where stacks are kept when the shell names no backend; undefined for a user who is logged in to one. */
  stateFolder: string | undefined;
  passphraseFile: string;
}

/**
 * The lines that put the engine into a POSIX shell: `eval "$(npm run --silent engine:env)"`.
 *
 * What the shell already says about its backend and passphrase stands.
 */
export function shellLines(settings: ShellSettings, env: Environment): string[] {
  const lines = [`export PATH=${quote([...settings.folders, nodeFolder(), ""].join(delimiter))}"$PATH"`];
  for (const [name, value] of Object.entries(OFFLINE_SETTINGS)) lines.push(`export ${name}=${value}`);
  if (!env.PULUMI_BACKEND_URL && settings.stateFolder !== undefined) {
    lines.push(`export PULUMI_BACKEND_URL=${quote(pathToFileURL(settings.stateFolder).href)}`);
  }
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    lines.push(`export PULUMI_CONFIG_PASSPHRASE_FILE=${quote(settings.passphraseFile)}`);
  }
  return lines;
}

/** One shell word, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
