import { delimiter, dirname } from "node:path";
import type { Environment } from "./user-folders.mts";

/** What makes the engine leave the network alone: no look for a newer one, no download of plugins nobody asked for. */
export const OFFLINE_SETTINGS = {
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
} as const;

/** The folder of the Node that runs us: the language host and the dynamic host start `node` from PATH. */
export function nodeFolder(): string {
  return dirname(process.execPath);
}

/** `env` with the engine's folders and our Node first on PATH, and the engine told to stay offline. */
export function engineEnvironment(env: Environment, folders: readonly string[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !isPath(name)) result[name] = value;
  }
  result.PATH = [...folders, nodeFolder(), getPath(env)].filter(Boolean).join(delimiter);
  return { ...result, ...OFFLINE_SETTINGS };
}

/** PATH, which Windows spells as it likes. */
export function getPath(env: Environment): string {
  const name = Object.keys(env).find(isPath);
  return (name && env[name]) || "";
}

function isPath(name: string): boolean {
  return process.platform === "win32" ? name.toUpperCase() === "PATH" : name === "PATH";
}
