import { isPattern } from "../../provider/vault-backup/selection.js";
import { CliError } from "../failure/cli-error.js";
import type { VaultPart } from "./backup-options.js";

/** Globs by kind; a kind that is left out is not wanted. */
export interface SelectedPart {
  keys?: string[];
  secrets?: string[];
}

/**
 * All of a vault where neither kind is named, else what is named.
 *
 * @throws CliError `KV_USAGE`
 */
export function selectedPart({ keys, secrets }: VaultPart, plane: "vault" | "managedhsm"): SelectedPart {
  if (secrets !== undefined && plane === "managedhsm") {
    throw new CliError("KV_USAGE", "a Managed HSM holds keys only: leave --secrets out");
  }
  if (keys === undefined && secrets === undefined) {
    return plane === "managedhsm" ? { keys: ["*"] } : { keys: ["*"], secrets: ["*"] };
  }
  return { ...(keys && { keys: checked("--keys", keys) }), ...(secrets && { secrets: checked("--secrets", secrets) }) };
}

function checked(option: string, globs: readonly string[]): string[] {
  if (!globs.every(isPattern)) {
    throw new CliError(
      "KV_USAGE",
      `${option} takes names and globs: letters, digits, hyphens, *, ?, [a-z], {a,b} and a leading !`,
    );
  }
  // Only what is to be left out: all the others are meant.
  return globs.every((glob) => glob.startsWith("!")) ? ["*", ...globs] : [...globs];
}
