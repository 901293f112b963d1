import picomatch from "picomatch";
import { isValidObjectName } from "../keyvault/identifier.js";

/** Which objects of one kind a VaultBackup covers. Names in the service are without case, and so is this. */
export interface Selection {
  matches(name: string): boolean;
  /** What the program names outright. */
  names: string[];
  /** Whether only a look at the whole vault tells what is covered. */
  hasGlobs: boolean;
}

/** Reads names and globs; what begins with `!` is left out. */
export function selection(patterns: readonly string[]): Selection {
  const wanted = patterns.filter((pattern) => !isExclusion(pattern));
  const isWanted = matcher(wanted);
  const isUnwanted = matcher(patterns.filter(isExclusion).map((pattern) => pattern.slice(1)));
  const matches = (name: string): boolean => isWanted(name) && !isUnwanted(name);
  const names = wanted.filter((pattern) => isValidObjectName(pattern) && matches(pattern));
  return { matches, names, hasGlobs: !wanted.every(isValidObjectName) };
}

export function isExclusion(pattern: string): boolean {
  return pattern.startsWith("!");
}

/** True for what can be a name or a glob over names. */
export function isPattern(pattern: string): boolean {
  return /^!?[0-9A-Za-z*?[\]{},^-][0-9A-Za-z*?[\]{},!^-]*$/.test(pattern);
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter(isValidObjectName).map((name) => name.toLowerCase()));
  const globs = patterns.filter((pattern) => !isValidObjectName(pattern));
  const matchesGlob = globs.length === 0 ? () => false : picomatch(globs, { nocase: true });
  return (name) => names.has(name.toLowerCase()) || matchesGlob(name);
}
