import picomatch from "picomatch";
import { isValidObjectName } from "../keyvault/identifier.js";

/** Several times the longest name. */
const LONGEST_GLOB = 1_000;

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

/** True for a name or a glob over names, with or without a leading `!`. A bracket that nothing closes matches nothing. */
export function isPattern(pattern: string): boolean {
  const glob = isExclusion(pattern) ? pattern.slice(1) : pattern;
  if (glob.length > LONGEST_GLOB) return false;
  let left = glob.replace(/\[[!^]?([0-9A-Za-z-]+)\]/g, (whole, members: string) => (isClass(members) ? "x" : whole));
  for (let before = ""; before !== left; ) {
    before = left;
    left = left.replace(/\{[0-9A-Za-z*?,-]*,[0-9A-Za-z*?,-]*\}/g, "x");
  }
  return /^[0-9A-Za-z*?-]+$/.test(left);
}

/** Ranges go upward. */
function isClass(members: string): boolean {
  return [...members.matchAll(/([0-9A-Za-z])-([0-9A-Za-z])/g)].every(([, from = "", to = ""]) => from <= to);
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter(isValidObjectName).map((name) => name.toLowerCase()));
  // `[!a]` is every shell's "not a", and picomatch's "! or a".
  const globs = patterns.filter((pattern) => !isValidObjectName(pattern)).map((glob) => glob.replaceAll("[!", "[^"));
  const matchesGlob = globs.length === 0 ? () => false : picomatch(globs, { nocase: true });
  return (name) => names.has(name.toLowerCase()) || matchesGlob(name);
}
