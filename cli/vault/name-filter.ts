import { parseGlob } from "../../provider/vault/name-glob.js";
import { CliError } from "../failure/cli-error.js";

export type ListedCollection = "keys" | "secrets";

/** Which objects of a vault are asked for: by `--only` and `--ignore`. */
export interface NameFilter {
  matches(collection: ListedCollection, name: string): boolean;
  /** False where no name of that collection can match, so that it need not be listed. */
  admits(collection: ListedCollection): boolean;
}

/**
 * Globs are matched against the name and against `keys/<name>` or `secrets/<name>`, without case as the vault has it.
 * `keys` and `secrets` alone stand for the whole collection.
 *
 * @throws CliError `KV_USAGE`
 */
export function nameFilter(only: readonly string[] = [], ignore: readonly string[] = []): NameFilter {
  const included = only.map(matcher);
  const excluded = ignore.map(matcher);
  return {
    matches(collection, name) {
      const isIn = included.length === 0 || included.some((matches) => matches(collection, name));
      return isIn && !excluded.some((matches) => matches(collection, name));
    },
    admits(collection) {
      const other = collection === "keys" ? "secrets" : "keys";
      const isOther = (glob: string): boolean => glob === other || glob.startsWith(`${other}/`);
      const isAll = (glob: string): boolean => glob === collection || glob === `${collection}/*`;
      return !(only.length > 0 && only.every(isOther)) && !ignore.some(isAll);
    },
  };
}

function matcher(glob: string): (collection: ListedCollection, name: string) => boolean {
  if (glob === "keys" || glob === "secrets") return (collection) => collection === glob;
  const matches = parseGlob(glob);
  if (matches === undefined) {
    throw new CliError(
      "KV_USAGE",
      `${JSON.stringify(glob.slice(0, 200))} is no glob over names: write it of letters, digits, hyphens, *, ?, [a-z], {a,b} and a leading !`,
    );
  }
  return (collection, name) => matches(name) || matches(`${collection}/${name}`);
}
