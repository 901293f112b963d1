import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { DeletedObject, LookAgain, VaultObject, VersionBundle } from "./vault-object.js";
import { uncertain } from "./write-once.js";

/** A recovery that was lost on its way is sent again where the object has stayed deleted for so long. */
const SEND_AGAIN_AFTER_MS = 15_000;

/** A deleted object that does not show for so long, to whom its name is refused, is not there any more. */
const GONE_AFTER_MS = 5_000;

/** Longer than any recovery that was ever timed (90 seconds). */
const LONGEST_RECOVERY_MS = 120_000;

export interface RecoveryRules<B> {
  ifSoftDeleted?: "fail" | undefined;
  /** The refusal that told of the soft-deleted object. */
  cause?: unknown;
  /** Throws where the deleted object is not one to recover, before anything is changed. */
  verify?: (deleted: DeletedObject) => void;
  /** Told what comes back, from the moment on that the vault has agreed; undefined where it has stayed deleted after all. */
  onAgreed: (recovered: B | undefined) => void;
}

/**
 * Brings back the soft-deleted object that holds a name. A deletion that is under way is waited out. Recovering brings
 * back the old attributes too, and the name stays busy for a while after it can be read: writes wait that out.
 */
export async function recoverObject<B extends VersionBundle>(
  object: VaultObject<B>,
  { ifSoftDeleted, cause, verify, onAgreed }: RecoveryRules<B>,
): Promise<B> {
  const { kind, label } = object;
  if (ifSoftDeleted === "fail") {
    throw new KeyVaultError(
      "KV_DELETED_RECOVERABLE",
      `create ${label} was refused: a soft-deleted ${kind} holds the name`,
      { hint: "leave ifSoftDeleted out to recover it, purge it, or choose another name", cause },
    );
  }
  const deleted = await whatIsDeleted(object, cause);
  verify?.(deleted);
  // By the time that it is sent, another may have recovered the object, made it his own and deleted it.
  const lookAgain = async () => {
    const found = await object.deleted();
    if (found) verify?.(found);
  };
  for (;;) {
    const lost = await sendRecovery(object, lookAgain, onAgreed);
    const back = await waitForRecovery(object).catch((error: unknown) => {
      // A look that is refused says nothing of a recovery that may have happened.
      if (lost === undefined || !isKeyVaultError(error) || error.operation === undefined) throw error;
      throw uncertain(`the recovered ${label}`, lost, error);
    });
    if (back) return back;
    onAgreed(undefined);
    await lookAgain();
  }
}

/**
 * What holds the name, as a refusal or a look has told a moment ago. Where it is not there any more, somebody else has
 * purged or recovered it since: that sends the creation back to its look.
 */
async function whatIsDeleted(object: VaultObject, cause: unknown): Promise<DeletedObject> {
  const { deadline, kind, label } = object;
  const deletion = `${label} to be deleted`;
  const from = deadline.elapsed();
  for (;;) {
    const deleted = await deadline.whileBusy(deletion, () => object.deleted());
    if (deleted) return deleted;
    const isBack = (await deadline.whileBusy(deletion, () => object.current())) !== undefined;
    if (isBack || deadline.elapsed() - from > GONE_AFTER_MS) {
      throw new KeyVaultError(
        "KV_CONFLICT",
        `the soft-deleted ${label} was to be recovered, and is ${isBack ? "active" : "gone"} by now`,
        { retryable: true, hint: `somebody else recovers or purges this ${kind}: run \`pulumi up\` again`, cause },
      );
    }
    await deadline.pause(deletion);
  }
}

/**
 * Recovering what somebody else is recovering, or has recovered, at the same time is no failure.
 *
 * @returns the failure of a request that may have happened.
 */
async function sendRecovery<B extends VersionBundle>(
  object: VaultObject<B>,
  lookAgain: LookAgain,
  onAgreed: (recovered: B) => void,
): Promise<KeyVaultError | undefined> {
  let isTried = false;
  try {
    await object.deadline.whileBusy(`the deletion of ${object.label} to end`, async () => {
      if (isTried) await lookAgain();
      isTried = true;
      try {
        onAgreed(await object.recover(lookAgain));
      } catch (error) {
        // A refusal while the object can be read again: somebody has recovered it.
        if (
          isKeyVaultError(error) &&
          (error.code === "KV_CONFLICT" || error.status === 400) &&
          (await object.current())
        )
          return;
        throw error;
      }
    });
    return undefined;
  } catch (error) {
    if (!isKeyVaultError(error) || !error.mayHaveHappened) throw error;
    return error;
  }
}

/**
 * Undefined where the object is still deleted after a while, and nothing seems to be going on. A look that is refused
 * as busy is no refusal of the creation, which would begin anew while the object comes back.
 */
async function waitForRecovery<B extends VersionBundle>(object: VaultObject<B>): Promise<B | undefined> {
  const { deadline, label } = object;
  const recovery = `the recovery of ${label}`;
  let sentAt = deadline.elapsed();
  for (;;) {
    const found = await deadline.whileBusy(recovery, () => object.current());
    if (found) return found;
    if (deadline.elapsed() - sentAt > SEND_AGAIN_AFTER_MS) {
      if (await deadline.whileBusy(recovery, () => object.deleted())) return undefined;
      sentAt = deadline.elapsed();
    }
    await deadline.pause(recovery);
  }
}

/**
 * What a look finds, of an object whose recovery the vault had agreed to when the run failed: while it is under way, the
 * vault shows it neither here nor among the deleted ones, and it is not gone.
 */
export async function onceRecovered<B extends VersionBundle>(
  { deadline, label, deleted }: Pick<VaultObject<B>, "deadline" | "label" | "deleted">,
  recorded: { awaitsRecovery?: true | undefined } | undefined,
  look: () => Promise<B | undefined>,
): Promise<B | undefined> {
  const recovery = `the recovery of ${label}`;
  let found = await look();
  if (recorded?.awaitsRecovery !== true) return found;
  const from = deadline.elapsed();
  while (!found && deadline.elapsed() - from < LONGEST_RECOVERY_MS) {
    await deadline.pause(recovery);
    found = await deadline.whileBusy(recovery, look);
    const isLate = deadline.elapsed() - from > SEND_AGAIN_AFTER_MS;
    if (!found && isLate && (await deadline.whileBusy(recovery, deleted))) return undefined;
  }
  return found;
}

/**
 * Waits for an object that somebody else is recovering, as the refusal of a write has told. While the vault does not show
 * it, it shows the name free: a write that rests on such a look would go over what has come back meanwhile.
 */
export async function untilRecovered(object: VaultObject, refusal: unknown): Promise<void> {
  const { deadline, label } = object;
  if (!isKeyVaultError(refusal) || refusal.innerCode !== "ObjectIsBeingRecovered") return;
  const recovery = `the recovery of ${label}`;
  const from = deadline.elapsed();
  while (deadline.elapsed() - from < LONGEST_RECOVERY_MS) {
    if (await deadline.whileBusy(recovery, () => object.current())) return;
    await deadline.pause(recovery, refusal);
  }
}
