import { homedir } from "node:os";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

const NAME = "pulumi-keyvault";

/** Where this user's caches live: what is in it can be removed at any time and is made again. */
export function cacheFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return join(env.LOCALAPPDATA || join(home(env), "AppData", "Local"), NAME, "cache");
  if (platform === "darwin") return join(home(env), "Library", "Caches", NAME);
  return join(env.XDG_CACHE_HOME || join(home(env), ".cache"), NAME);
}

/** Where this user's data lives: it is never removed by us. */
export function dataFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return join(env.LOCALAPPDATA || join(home(env), "AppData", "Local"), NAME, "data");
  if (platform === "darwin") return join(home(env), "Library", "Application Support", NAME);
  return join(env.XDG_DATA_HOME || join(home(env), ".local", "share"), NAME);
}

function home(env: Environment): string {
  return env.HOME || env.USERPROFILE || homedir();
}
