import { KeyVaultError } from "../keyvault/errors.js";
import { type ByKind, type Collection, countOf } from "./by-kind.js";
import type { VaultBackupInputs } from "./recorded-vault-backup.js";
import type { SelectedObjects } from "./selected-objects.js";
import type { Selection } from "./selection.js";
import { describeFailures } from "./take-backups.js";

/** What a selection finds in the vault and among earlier backups. */
export interface FoundObjects {
  collection: Collection;
  selected: Selection;
  contents: SelectedObjects;
  /** Of what an earlier update took. */
  names: string[];
}

export interface UnmatchedGlob {
  collection: Collection;
  pattern: string;
  reason: string;
}

/**
 * Globs that cover nothing: misspelled, or of another vault. `*` is none of them where the vault has objects of the
 * other kind: it means all there are.
 */
export function unmatchedGlobs(found: readonly FoundObjects[]): UnmatchedGlob[] {
  const isEmpty = found.every(({ contents, names }) => contents.objects.length === 0 && names.length === 0);
  return found.flatMap(({ collection, selected, contents, names }) => {
    const there = [...contents.objects.map(({ name }) => name), ...names];
    return selected.globs
      .filter(({ pattern, covers }) => (isEmpty || !/^\*+$/.test(pattern)) && !there.some(covers))
      .map(({ pattern, covers }) => ({
        collection,
        pattern,
        reason: contents.managed.some(covers)
          ? `it matches only ${collection} of certificates, which have to be named`
          : "it matches nothing in the vault",
      }));
  });
}

const EMPTY_HINT = "check the names and the vault, or set allowEmpty: true where there may be nothing to back up.";

/** Before anything is taken or dropped: what earlier updates took stays as it is. */
export function nothingMatches({ vaultUrl }: VaultBackupInputs, unmatched: readonly UnmatchedGlob[]): KeyVaultError {
  const globs = unmatched.map(({ collection, pattern, reason }) => `${collection} "${pattern}": ${reason}`).join("; ");
  return new KeyVaultError("KV_NOT_FOUND", `${vaultUrl} was not backed up, ${globs}`, { hint: EMPTY_HINT });
}

/** A backup of nothing replaces no other one. */
export function throwIfNothing(
  { vaultUrl, allowEmpty }: VaultBackupInputs,
  failed: ByKind<string>,
  vanished: number,
): void {
  const count = countOf(failed);
  if (count === 0 && (allowEmpty || vanished === 0)) return;
  const what = count > 0 ? `:${describeFailures(failed)}` : `: all ${vanished} objects were deleted meanwhile`;
  throw new KeyVaultError("KV_NOT_FOUND", `nothing of ${vaultUrl} could be backed up${what}`, {
    hint: EMPTY_HINT,
  });
}
