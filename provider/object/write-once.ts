import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { isBusy, type OperationDeadline } from "./operation-deadline.js";

/** How long a write whose answer was lost is looked for, from the first look that was answered. */
const LOOK_FOR_MS = 30_000;

export interface OnceOnlyWrite<T> {
  /** What is being written, such as `a version of key "orders" in https://v.vault.azure.net`. */
  what: string;
  deadline: OperationDeadline;
  send(): Promise<T>;
  /**
   * Looks for the result. Undefined as long as it does not show; throws where something else is there, which then was
   * not ours.
   */
  look(): Promise<T | undefined>;
}

/**
 * Sends a write once. Where its answer does not tell whether it happened (a cut connection, a 5xx, a timeout), it is
 * never sent again in this run: the vault is looked at, with growing pauses, since it may be carried out late.
 *
 * @throws KeyVaultError `KV_UNCERTAIN` where the result does not show.
 */
export async function writeOnce<T>({ what, deadline, send, look }: OnceOnlyWrite<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!isKeyVaultError(error) || !error.mayHaveHappened) throw error;
    return await findWritten(what, deadline, look, error);
  }
}

async function findWritten<T>(
  what: string,
  deadline: OperationDeadline,
  look: () => Promise<T | undefined>,
  lost: KeyVaultError,
): Promise<T> {
  const pauses = deadline.pauses();
  let answeredFor = 0;
  for (;;) {
    const from = deadline.elapsed();
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      // An outage tells nothing about the write, and is ridden out. Neither does a look that is refused as busy: it is
      // no refusal of the write, after which that would be sent again. Anything else is an answer.
      if (!isBusy(error) && !(isKeyVaultError(error) && error.retryable)) {
        // A look that is refused, or ended, is no answer either: it says nothing of the write that may have happened.
        if (isKeyVaultError(error) && error.operation !== undefined) throw uncertain(what, lost, error);
        throw error;
      }
      if (!(await pauses.next(`${what} to show: the answer to its write was lost`))) throw uncertain(what, lost);
      continue;
    }
    const goesOn =
      answeredFor < LOOK_FOR_MS && (await pauses.next(`${what} to show: the answer to its write was lost`));
    if (!goesOn) throw uncertain(what, lost);
    answeredFor += deadline.elapsed() - from;
  }
}

/** The failure of a write of which no more than that it was sent is known. */
export function uncertain(what: string, lost: KeyVaultError, refusedLook?: KeyVaultError): KeyVaultError {
  const why = refusedLook ? `and looking for it failed: ${refusedLook.message}` : "and the vault does not show it";
  return new KeyVaultError(
    "KV_UNCERTAIN",
    `whether ${what} was written is not known: the answer was lost, ${why} (${lost.message})`,
    {
      operation: lost.operation,
      vaultUrl: lost.vaultUrl,
      objectName: lost.objectName,
      status: lost.status,
      requestId: lost.requestId,
      mayHaveHappened: true,
      retryable: false,
      hint: "run `pulumi up` again once the vault answers: it looks before it writes, and takes what it finds done",
      cause: lost,
    },
  );
}
