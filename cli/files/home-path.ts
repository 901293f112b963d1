import { homedir } from "node:os";
import { join } from "node:path";

/** A path as a shell would have made it: shells leave `~` alone inside of a word, as in `--store=~/dev.vault`. */
export function homePath(path: string): string {
  return path === "~" || path.startsWith("~/") || path.startsWith("~\\") ? join(homedir(), path.slice(2)) : path;
}
