import { isValidObjectName } from "../keyvault/identifier.js";
import { parseGlob } from "../vault/name-glob.js";

/** Which objects of one kind a VaultBackup covers. Names in the service are without case, and so is this. */
export interface Selection {
  matches(name: string): boolean;
  /** What the program names outright. */
  names: string[];
  /** For these only a look at the whole vault tells what is covered. */
  globs: Glob[];
}

export interface Glob {
  pattern: string;
  /** Whether the selection covers a name by this glob. */
  covers(name: string): boolean;
}

/** Reads names and globs; what begins with `!` is left out. */
export function selection(patterns: readonly string[]): Selection {
  const wanted = patterns.filter((pattern) => !isExclusion(pattern));
  const isWanted = matcher(wanted);
  const isUnwanted = matcher(patterns.filter(isExclusion).map((pattern) => pattern.slice(1)));
  const matches = (name: string): boolean => isWanted(name) && !isUnwanted(name);
  const globs = wanted
    .filter((pattern) => !isValidObjectName(pattern))
    .map((pattern): Glob => {
      const isMatch = matcher([pattern]);
      return { pattern, covers: (name) => isMatch(name) && !isUnwanted(name) };
    });
  return { matches, names: wanted.filter((pattern) => isValidObjectName(pattern) && matches(pattern)), globs };
}

export function isExclusion(pattern: string): boolean {
  return pattern.startsWith("!");
}

/** True for a name or a glob over names, with or without a leading `!`. */
export function isPattern(pattern: string): boolean {
  const glob = isExclusion(pattern) ? pattern.slice(1) : pattern;
  return !glob.includes("/") && !isExclusion(glob) && parseGlob(glob) !== undefined;
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter(isValidObjectName).map((name) => name.toLowerCase()));
  const globs = patterns.filter((pattern) => !isValidObjectName(pattern)).flatMap((glob) => parseGlob(glob) ?? []);
  return (name) => names.has(name.toLowerCase()) || globs.some((matches) => matches(name));
}
