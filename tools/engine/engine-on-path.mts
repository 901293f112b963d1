import { realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { CLI, checkCli, DYNAMIC_HOST, isExecutable, LANGUAGE_HOST, sdkFolder } from "./engine-folder.mts";
import { getPath } from "./environment.mts";
import type { Environment } from "./user-folders.mts";

export interface EngineOnPath {
  version: string;
  /** The folder of the CLI, then those of the other parts where they are elsewhere. */
  folders: readonly [string, ...string[]];
}

/** The engine that is installed on this machine. Throws, with the reason, when there is none that will do. */
export async function findEngineOnPath(env: Environment): Promise<EngineOnPath> {
  const path = getPath(env).split(delimiter).filter(Boolean);
  const cli = await findProgram(CLI, path);
  if (cli === undefined) throw new Error("no pulumi on PATH");
  const version = await checkCli(cli, env);
  const beside = [dirname(cli), dirname(await realpath(cli))];
  const languageHost = await findProgram(LANGUAGE_HOST, [...beside, ...path]);
  if (languageHost === undefined) {
    throw new Error(`${cli} is ${version}, but ${LANGUAGE_HOST} is neither beside it nor on PATH`);
  }
  const dynamicHost = await findProgram(DYNAMIC_HOST, [...beside, ...path]);
  const first = dirname(cli);
  const others = [languageHost, dynamicHost ?? join(sdkFolder(), DYNAMIC_HOST)].map((file) => dirname(file));
  return { version, folders: [first, ...new Set(others.filter((folder) => folder !== first))] };
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}
