import { existsSync } from "node:fs";
import { dirname, parse } from "node:path";
import { describeText } from "../../provider/engine/described-value.js";
import { homePath } from "../files/home-path.js";

/** Long enough that nobody writes it by hand, and shorter than what is worth stealing of a key. */
const RUN = 16;

/**
 * A line without the arguments that may be a key, a blob or a token where a name belongs (`--from "$KEY"`), nor any part
 * of one: what stands there is described.
 */
export function withoutMaterial(line: string, args: readonly string[] = process.argv.slice(2)): string {
  return args.filter(mayBeMaterial).reduce(withoutRuns, line);
}

function mayBeMaterial(arg: string): boolean {
  const value = arg.replace(/^--[a-z-]+=/, "");
  if (/\p{Cc}/u.test(value) || value.length > 1024) return true;
  const isText = value.length >= 40 && (/^[[{]/.test(value) || /^[\w+/.=-]+$/.test(value));
  return isText && !isPath(homePath(value));
}

function isPath(value: string): boolean {
  try {
    const folder = dirname(value);
    return existsSync(value) || (folder !== "." && folder !== parse(value).root && existsSync(folder));
  } catch {
    return false;
  }
}

/** Describes whatever both have in common, over {@link RUN} characters and more. */
function withoutRuns(line: string, arg: string): string {
  const runs = new Set<string>();
  for (let start = 0; start + RUN <= arg.length; start++) runs.add(arg.slice(start, start + RUN));
  const description = `(${describeText(arg)})`;
  let shown = "";
  let covered = 0;
  for (let at = 0; at < line.length; at++) {
    if (runs.has(line.slice(at, at + RUN))) {
      if (at >= covered && !shown.endsWith(description)) shown += description;
      covered = at + RUN;
    } else if (at >= covered) shown += line[at];
  }
  return shown;
}
