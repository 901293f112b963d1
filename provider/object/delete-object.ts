import { tell } from "../engine/progress.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { vaultClient } from "../vault/vault-access.js";
import {
  declarationOf,
  describeResource,
  isLeftEarly,
  recordedMark,
  releaseObject,
  wasCreationRefused,
} from "./declared-objects.js";
import type { OnDelete, Timeouts } from "./object-inputs.js";
import { ifPresent, OperationDeadline } from "./operation-deadline.js";
import { describeOwner, hasOwnerTag, isTakenOver, type Owner, ownerOf, withOwnerTag } from "./owner-tag.js";
import { onceRecovered } from "./recover-object.js";
import type { BindObject, LookAgain, VaultObject, VersionBundle } from "./vault-object.js";
import { writeOnce } from "./write-once.js";

export interface DeletableObject {
  vaultUrl: string;
  name: string;
  onDelete?: OnDelete;
  timeouts?: Timeouts;
  credential?: string | undefined;
  recoveryLevel?: string;
  /** The token of the mark that this resource has put on the object. */
  ownerToken?: string;
  /** The token that it had before, where it is not known whether ours is there. */
  formerToken?: string;
  awaitsRecovery?: true;
}

/**
 * Does to a key or secret what its `onDelete` says: nothing, disable, delete (the default; recoverable), or delete and
 * purge. Looks first: what the running program declares, or another owner has marked, is left alone.
 */
export async function deleteObject<B extends VersionBundle>(
  noun: "key" | "secret",
  bind: BindObject<B>,
  recorded: DeletableObject,
): Promise<void> {
  const { vaultUrl, onDelete = "delete", timeouts, recoveryLevel } = recorded;
  const bound = async () => bind(await vaultClient(recorded), recorded, new OperationDeadline(timeouts?.delete));
  const declaration = declarationOf(noun, recorded);
  if (declaration) {
    if (wasCreationRefused(noun, recorded)) throw staysRecorded(noun, recorded, describeResource(declaration));
    releaseObject(noun, recorded, recorded.ownerToken);
    const mark = recordedMark(noun, recorded);
    if (mark !== undefined && mark.token !== recorded.ownerToken) await giveBack(await bound(), recorded, mark);
    if (onDelete === "retain") return;
    tell(`${noun} "${recorded.name}" in ${vaultUrl} stays: the program declares it (${describeResource(declaration)})`);
    return;
  }
  if (onDelete === "retain") return;
  const object = await bound();
  const current = await onceRecovered(object, recorded, () => object.current());
  // The engine may show another resource that goes on with it while the vault answers.
  if (declarationOf(noun, recorded)) return deleteObject(noun, bind, recorded);
  if (isAnothers(object, current?.tags, recorded)) return;
  if (onDelete === "disable") {
    if (current?.enabled) await disable(object, current.version, recorded);
    return;
  }
  const deleted = current ? await deleteOnce(object, recorded) : {};
  if (deleted === undefined || onDelete !== "purge") return;
  // Whoever has marked it between the look and the deletion can recover it, and could not what is purged.
  const { tags } = deleted.tags === undefined ? ((await object.deleted()) ?? {}) : deleted;
  if (!isAnothers(object, tags, recorded)) await purge(object, recoveryLevel, recorded);
}

/**
 * With `--continue-on-error` the engine deletes what leaves the program after the failure of what was to take its place. Were that let
 * go, no state would know the object any more, and no alias could find it.
 */
function staysRecorded(noun: "key" | "secret", { name, vaultUrl }: DeletableObject, successor: string): KeyVaultError {
  return new KeyVaultError(
    "KV_CONFLICT",
    `${noun} "${name}" in ${vaultUrl} stays as it is, in the vault and in state: ${successor}, which declares it, could not take it over in this run`,
    { vaultUrl, objectName: name, hint: "see why that failed, and run pulumi up again: an alias finds it as before." },
  );
}

/**
 * Puts back the mark of the resource that has declared the object all along: a rename that got half-way had put its own
 * in place, and is taken back.
 */
async function giveBack<B extends VersionBundle>(
  object: VaultObject<B>,
  { ownerToken }: DeletableObject,
  mark: Owner,
): Promise<void> {
  const { deadline, label } = object;
  const current = await object.current();
  const found = ownerOf(current?.tags);
  if (!current || found === undefined || found.token !== ownerToken) return;
  const tags = withOwnerTag(current.tags, { ...mark, ...(found.source === undefined ? {} : { source: found.source }) });
  await deadline.whileBusy<unknown>(`${label} to be free`, () =>
    writeOnce<unknown>({
      what: `the owner tag of ${label}`,
      deadline,
      send: () => object.setTags(current.version, tags),
      look: async () => {
        const looked = await object.current();
        return looked === undefined || ownerOf(looked.tags)?.token === mark.token ? "given back or gone" : undefined;
      },
    }),
  );
}

function isOwnedByAnother(
  tags: Record<string, string> | undefined,
  { ownerToken, formerToken }: DeletableObject,
): boolean {
  if (!hasOwnerTag(tags)) return false;
  const token = ownerOf(tags)?.token;
  if (token === undefined || ownerToken === undefined) return true;
  // What was taken without state may be in another one, which has the former token.
  return token !== ownerToken && (token !== formerToken || isTakenOver(ownerToken));
}

/** Tells who has an object that is no longer this resource's. */
function isAnothers(
  { kind, label }: VaultObject,
  tags: Record<string, string> | undefined,
  recorded: DeletableObject,
): boolean {
  if (!isOwnedByAnother(tags, recorded)) return false;
  const deletes = `delete the ${kind} by hand if it is to go`;
  tell(`${label} is left alone: ${describeOwner(tags)} owns it by its tag (${deletes})`);
  return true;
}

/**
 * Sends what ends an object's life. A busy name is waited for, and looked at before each further try: whoever has kept
 * it busy may have taken the object over.
 *
 * @returns false where it is another's by now, and was left alone.
 */
async function unlessTaken<B extends VersionBundle>(
  object: VaultObject<B>,
  recorded: DeletableObject,
  {
    awaited,
    look,
    send,
  }: { awaited: string; look(): Promise<Tagged | undefined>; send(lookAgain: LookAgain): Promise<unknown> },
): Promise<boolean> {
  const lookAgain = async () => {
    if (!isOwnedByAnother((await look())?.tags, recorded)) return;
    throw new KeyVaultError("KV_CONFLICT", `${object.label} was taken over while this operation waited`);
  };
  let isTried = false;
  return object.deadline.whileBusy(awaited, async () => {
    if (isTried && isAnothers(object, (await look())?.tags, recorded)) return false;
    isTried = true;
    await send(lookAgain);
    return true;
  });
}

type Tagged = { tags?: Record<string, string> };

async function disable<B extends VersionBundle>(
  object: VaultObject<B>,
  version: string,
  recorded: DeletableObject,
): Promise<void> {
  const { deadline, label } = object;
  await unlessTaken(object, recorded, {
    awaited: `${label} to be free`,
    look: () => object.current(),
    send: (lookAgain) =>
      ifPresent(
        writeOnce<unknown>({
          what: `the disabling of ${label}`,
          deadline,
          send: () => object.disable(version, lookAgain),
          look: async () => {
            const found = await object.current();
            return found?.enabled === true ? undefined : "disabled or gone";
          },
        }),
      ),
  });
}

/** What was deleted, empty where the answer that tells it was lost; undefined where it is another's, and was left alone. */
async function deleteOnce(object: VaultObject, recorded: DeletableObject): Promise<Tagged | undefined> {
  const { deadline, label } = object;
  let deleted: Tagged = {};
  const isSent = await unlessTaken(object, recorded, {
    awaited: `${label} to be free`,
    look: () => object.current(),
    send: (lookAgain) =>
      ifPresent(
        writeOnce<unknown>({
          what: `the deletion of ${label}`,
          deadline,
          send: async () => {
            deleted = await object.delete(lookAgain);
          },
          look: async () => ((await object.current()) ? undefined : "gone"),
        }),
      ),
  });
  return isSent ? deleted : undefined;
}

/** A purge that was lost on its way is sent again where the object has stayed deleted for so long. */
const SEND_AGAIN_AFTER_MS = 15_000;

async function purge(object: VaultObject, recoveryLevel: string | undefined, recorded: DeletableObject): Promise<void> {
  const { label } = object;
  if (isPurgeProtected(recoveryLevel)) {
    tell(`${label} was deleted and not purged: purge protection is on (${recoveryLevel})`);
    return;
  }
  if (isLeftEarly(object.kind, recorded)) {
    tell(
      `${label} was deleted and not purged: its resource is replaced before the rest of the program is known, which may go on with it (purge it by hand if it is to go, or leave deleteBeforeReplace out)`,
    );
    return;
  }
  if (isTakenOver(recorded.ownerToken)) {
    tell(
      `${label} was deleted and not purged: it was taken over from an earlier run, or from a stack that had this name and may still have it (purge it by hand if it is to go)`,
    );
    return;
  }
  // Without soft delete there is nothing to purge. With it, a purge is refused until the deletion has ended.
  if (recoveryLevel === "Purgeable") return;
  for (;;) {
    try {
      await unlessTaken(object, recorded, {
        awaited: `the deletion of ${label} to end`,
        look: () => object.deleted(),
        send: (lookAgain) => object.purge(lookAgain),
      });
      return;
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.mayHaveHappened || error.code === "KV_NOT_FOUND")) throw error;
      if (await isPurged(object, recorded, error)) return;
    }
  }
}

/** Whether a purge whose answer was lost shows after all. False where the object stays deleted, and nothing is going on. */
async function isPurged(object: VaultObject, recorded: DeletableObject, lost: unknown): Promise<boolean> {
  const { deadline, label } = object;
  const sentAt = deadline.elapsed();
  do {
    const deleted = await object.deleted();
    if (!deleted || isAnothers(object, deleted.tags, recorded)) return true;
    await deadline.pause(`the purge of ${label}`, lost);
  } while (deadline.elapsed() - sentAt < SEND_AGAIN_AFTER_MS);
  return false;
}

/** Tells in time that a purge will not happen: when the resource is made, and in the preview of the program that asks for it. */
export function tellIfUnpurgeable(
  kind: "key" | "secret",
  { name, vaultUrl, onDelete }: { name?: unknown; vaultUrl?: unknown; onDelete?: unknown },
  recoveryLevel: unknown,
): void {
  if (onDelete !== "purge" || !isPurgeProtected(recoveryLevel)) return;
  tell(
    `${kind} "${name}" in ${vaultUrl}: purge protection is on (${recoveryLevel}), so onDelete "purge" will only delete it`,
  );
}

function isPurgeProtected(recoveryLevel: unknown): boolean {
  return typeof recoveryLevel === "string" && !/purgeable/i.test(recoveryLevel);
}
