import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import type { OperationDeadline } from "./operation-deadline.js";
import type { VaultObject } from "./vault-object.js";

export interface RecoveryRules<Deleted> {
  ifSoftDeleted?: "fail" | undefined;
  /** The refusal that told of the soft-deleted object. */
  cause?: unknown;
  /** Throws where the deleted object is not one to recover, before anything is changed. */
  verify?: (deleted: Deleted) => void;
}

/**
 * Brings back the soft-deleted object that holds a name. A deletion that is under way is waited out. Recovering brings
 * back the old attributes too, and the name stays busy for a while after it can be read: writes wait that out.
 */
export async function recoverObject<Bundle, Deleted extends SoftDeleted & { version?: string }>(
  object: VaultObject<Bundle, Deleted>,
  deadline: OperationDeadline,
  { ifSoftDeleted, cause, verify }: RecoveryRules<Deleted>,
): Promise<Bundle> {
  if (ifSoftDeleted === "fail") {
    throw new KeyVaultError(
      "KV_DELETED_RECOVERABLE",
      `create ${object.label} was refused: a soft-deleted ${object.kind} holds the name`,
      { hint: "leave ifSoftDeleted out to recover it, purge it, or choose another name", cause },
    );
  }
  const deleted = await deadline.until(`${object.label} to be deleted`, () => object.deleted());
  verify?.(deleted);
  try {
    await deadline.whileBusy(`the deletion of ${object.label} to end`, () => object.recover());
  } catch (error) {
    // Recovering what somebody else is recovering, or has recovered, at the same time is no failure.
    const isPerhapsBack =
      isKeyVaultError(error) && (error.mayHaveHappened || error.code === "KV_CONFLICT" || error.status === 400);
    if (!isPerhapsBack) throw error;
    if (!error.mayHaveHappened && !(await object.current())) throw error;
  }
  return deadline.until(`the recovery of ${object.label}`, () => object.current());
}
