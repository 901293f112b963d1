import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { blobFor } from "./pending-material.js";
import { isRestoredFrom, saysVersion } from "./restore-source.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";
import { writeOnce } from "./write-once.js";

/** What a restore found in its way, for the create to go on with. */
export type RestoreOutcome<B> = { restored: B } | { existing: B } | { deletedBefore: KeyVaultError };

/** Longer than any purge that was ever timed (69 seconds). */
const LONGEST_PURGE_MS = 120_000;

/**
 * Restores an object with all its versions from a backup. The service keeps the name and the version ids, and restores
 * all or nothing. A purge of the same name that has not ended is waited out.
 *
 * @param digest the `restore` input, under which the blob waits.
 * @param at another object of the vault, for what the blob may be of. Default: nothing is known of that.
 * @param isOurs whether an object with these tags is of this stack: only a restore can have brought it where nothing was.
 */
export async function restoreObject<B extends VersionBundle>(
  object: VaultObject<B>,
  digest: string,
  { at, isOurs = () => false }: { at?: (name: string) => VaultObject; isOurs?: (tags: B["tags"]) => boolean } = {},
): Promise<RestoreOutcome<B>> {
  const { label, deadline } = object;
  const pending = blobFor(digest);
  if (pending === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `restore ${label} failed: the backup blob is not at hand`, {
      hint: "run the program that names the backup again",
    });
  }
  let unnamedSince: number | undefined;
  for (;;) {
    let restored: B | undefined;
    try {
      restored = await writeOnce({
        what: `the restored ${label}`,
        deadline,
        send: () => object.restore(pending.blob),
        look: () => restoredVersion(object, digest, isOurs),
      });
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      const existing = await object.current();
      if (existing) return { existing };
      // It may have happened: what was in the way and is not any more does not make it unsent.
      if (error.code === "KV_ALREADY_EXISTS") throw error;
      const deleted = await object.deleted();
      if (deleted && isRestoredFrom(digest, deleted)) return { deletedBefore: error };
      if (deleted) throw softDeleted(object, error);
      throwIfOtherName(object, error);
      // A 400 is a blob that this vault does not take, and waiting does not help it.
      if (error.code === "KV_BACKUP_REJECTED") throw isTaken(error) ? takenElsewhere(object, error) : error;
      const { fileSays } = pending;
      if (fileSays !== undefined && fileSays !== object.address.name && (await isHeld(at?.(fileSays)))) {
        throw takenElsewhere(object, error, fileSays);
      }
      unnamedSince = mayBeOfAnother(error) ? (unnamedSince ?? deadline.elapsed()) : undefined;
      if (deadline.elapsed() - (unnamedSince ?? deadline.elapsed()) > LONGEST_PURGE_MS) {
        throw refusedWithoutReason(object, error);
      }
      // Neither there nor deleted: a purge of the same name has not ended yet, which takes the service up to minutes.
      await deadline.pause(`the purge of the former ${label} to end`, error);
      continue;
    }
    return { restored: await comparedWithVault(object, restored) };
  }
}

/**
 * What a restore whose answer was lost has brought. Where its version is known, another one is somebody else's object; of
 * a bare blob nothing but a mark of this stack tells the two apart.
 */
async function restoredVersion<B extends VersionBundle>(
  object: VaultObject<B>,
  digest: string,
  isOurs: (tags: B["tags"]) => boolean,
): Promise<B | undefined> {
  const found = await object.current();
  if (!found || isRestoredFrom(digest, found)) return found;
  if (!saysVersion(digest)) {
    if (isOurs(found.tags)) return found;
    throw new KeyVaultError(
      "KV_UNCERTAIN",
      `whether ${object.label}, which the vault shows by now, is the restored one is not known: the answer to the restore was lost, and its backup tells no version`,
      {
        mayHaveHappened: true,
        hint: "if it is, set adopt: true in the place of restore; else choose another vault. A KeyBackup, SecretBackup or VaultBackup tells the version",
      },
    );
  }
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `the answer to the restore of ${object.label} was lost, and the vault has shown another one since`,
    { hint: "run `pulumi up` again: it looks before it restores" },
  );
}

/**
 * A restored object keeps the name of its backup, which may not be the program's. An answer that only says so, while the
 * version that it names stands under the program's name, is another object's answer: the vault is right.
 */
async function comparedWithVault<B extends VersionBundle>(object: VaultObject<B>, restored: B): Promise<B> {
  const { address, deadline, kind, label } = object;
  if (restored.name.toLowerCase() === address.name.toLowerCase()) return restored;
  let current: B | undefined;
  try {
    current = await deadline.whileBusy(`${label} to be free`, () => object.current());
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    // The object that the answer names may be another's, and would be recorded as this resource's.
    throw new KeyVaultError(
      "KV_UNCERTAIN",
      `which ${kind} the restore of ${label} has brought is not known: its answer names ${kind} "${restored.name}", and looking for it failed: ${error.message}`,
      {
        objectName: restored.name,
        mayHaveHappened: true,
        hint: `a restored ${kind} keeps its name: where the backup is of "${restored.name}", set name to that and adopt: true, or delete what was restored`,
        cause: error,
      },
    );
  }
  return current?.version === restored.version ? current : restored;
}

const IN_THE_WAY: ReadonlySet<string> = new Set([
  "KV_ALREADY_EXISTS",
  "KV_CONFLICT",
  "KV_BUSY",
  "KV_THROTTLED",
  "KV_DELETED_RECOVERABLE",
  "KV_BACKUP_REJECTED",
]);

/** Refusals that may be about an object of the same name, in whatever words and status the server says it. */
function isInTheWay(error: unknown): error is KeyVaultError {
  return isKeyVaultError(error) && !error.mayHaveHappened && IN_THE_WAY.has(error.code);
}

/** The service names the object that is in the way: where it is another one, the backup is of that. */
function throwIfOtherName({ address, kind, label }: VaultObject, error: KeyVaultError): void {
  const named = namedIn(error);
  if (named === undefined || named.toLowerCase() === address.name.toLowerCase()) return;
  throw new KeyVaultError(
    "KV_INVALID_INPUT",
    `restore ${label} was refused: the backup is of ${kind} "${named}", which the vault already holds`,
    { hint: `a restored ${kind} keeps its name: set name: "${named}", or restore into another vault`, cause: error },
  );
}

function namedIn({ message }: KeyVaultError): string | undefined {
  return /\/(?:keys|secrets)\/([0-9A-Za-z-]{1,127})/.exec(message)?.[1];
}

/**
 * A conflict in which no object is named may be about one of another name. A Managed HSM that restores something else at
 * this moment says so.
 */
function mayBeOfAnother(error: KeyVaultError): boolean {
  return error.code === "KV_CONFLICT" && namedIn(error) === undefined && !/\bin progress\b/i.test(error.message);
}

async function isHeld(other: VaultObject | undefined): Promise<boolean> {
  return other !== undefined && ((await other.current()) !== undefined || (await other.deleted()) !== undefined);
}

/** Servers that answer 400 in place of 409 say it in words only, and name no object. */
function isTaken({ message }: KeyVaultError): boolean {
  return /\balready (?:contains|exists|holds|has)\b/i.test(message);
}

/** @param name that under which the vault holds it, where it is known. */
function takenElsewhere({ kind, label }: VaultObject, cause: KeyVaultError, name?: string): KeyVaultError {
  const where = name === undefined ? "under another name" : `${kind} "${name}" by the name of its file`;
  const itsName = name === undefined ? "name to that of the backup" : `name: "${name}"`;
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `restore ${label} was refused: the vault already holds the ${kind} that the backup is of, ${where}`,
    { hint: `a restored ${kind} keeps its name: set ${itsName}, or restore into another vault`, cause },
  );
}

/** The vault holds nothing under the program's name, and for longer than a purge takes: it is about another. */
function refusedWithoutReason({ kind, label }: VaultObject, cause: KeyVaultError): KeyVaultError {
  return new KeyVaultError(
    "KV_BACKUP_REJECTED",
    `restore ${label} was refused: the vault holds no ${kind} of that name, active or deleted, and says nothing else (the last answer: ${cause.message})`,
    {
      hint: `the backup may be of a ${kind} that the vault holds under another name, which a restored ${kind} keeps: set name to that, or restore into another vault`,
      cause,
    },
  );
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

function softDeleted({ kind, label }: { kind: string; label: string }, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_DELETED_RECOVERABLE",
    `restore ${label} was refused: a soft-deleted ${kind} holds the name`,
    { hint: "purge it, or set adopt: true to recover and manage it", cause },
  );
}
