import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import type { OperationDeadline } from "./operation-deadline.js";
import { blobFor } from "./pending-material.js";
import { isRestoredVersion } from "./restore-source.js";
import type { VaultObject } from "./vault-object.js";

/**
 * Restores an object with all its versions from a backup. The service keeps the name and the version ids, and restores
 * all or nothing. A purge of the same name that has not ended is waited out; an object that an interrupted run has
 * restored is found again, and recovered where it was deleted since.
 *
 * @param digest the `restore` input, under which the blob waits.
 */
export async function restoreObject<Bundle, Deleted extends SoftDeleted & { version?: string }>(
  object: VaultObject<Bundle, Deleted>,
  digest: string,
  deadline: OperationDeadline,
  recover: (cause: unknown) => Promise<Bundle>,
): Promise<Bundle> {
  const blob = blobFor(digest);
  if (blob === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `restore ${object.label} failed: the backup blob is not at hand`, {
      hint: "run the program that names the backup again",
    });
  }
  for (;;) {
    try {
      return await deadline.whileBusy(`${object.label} to be free`, () => object.restore(blob));
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.code === "KV_CONFLICT" || error.mayHaveHappened)) throw error;
      const found = await object.current();
      if (found && error.mayHaveHappened) return found;
      if (found) throw taken(object, error);
      const deleted = await object.deleted();
      if (deleted?.version !== undefined && isRestoredVersion(digest, deleted.version)) return recover(error);
      if (deleted) throw softDeleted(object, error);
      // Neither there nor deleted: a purge of the same name has not ended yet, which takes the service up to minutes.
      await deadline.pause(`the purge of the former ${object.label} to end`, error);
    }
  }
}

/** The failure of a restore that brought back an object of another name than the program's. */
export function restoredUnderOtherName(
  kind: "key" | "secret",
  vaultUrl: string,
  actual: string,
  named: string,
): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `the backup that was restored into ${vaultUrl} is of ${kind} "${actual}", and the program names it "${named}"; the restored ${kind} is recorded under its own name`,
    { hint: `set name: "${actual}"` },
  );
}

function taken({ kind, label }: { kind: string; label: string }, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `restore ${label} was refused: the vault holds a ${kind} of that name, and a restore never overwrites`,
    { hint: `delete and purge that ${kind}, set adopt: true to manage it, or restore into another vault`, cause },
  );
}

function softDeleted({ kind, label }: { kind: string; label: string }, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_DELETED_RECOVERABLE",
    `restore ${label} was refused: a soft-deleted ${kind} holds the name`,
    { hint: "purge it, or set adopt: true to recover and manage it", cause },
  );
}
