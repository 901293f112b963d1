import type { Properties } from "../engine/lifecycle.js";
import { keyLifecycle } from "../key/key-lifecycle.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { objectId } from "../vault/object-address.js";
import { forEachKey } from "./each-key.js";
import { addressOf } from "./key-set-inputs.js";
import { keyOutputsOf } from "./key-set-outputs.js";
import { unpackRecords } from "./packed-records.js";
import { readKeySetOutputs } from "./recorded-key-set.js";
import { SetDeadline } from "./set-deadline.js";
import { failureOf } from "./update-key-set.js";

/** Does to each key of a set what its `onDelete` says. What is gone already is done, and so a second run goes on. */
export async function deleteKeySet(props: Properties): Promise<void> {
  const { vaultUrl, records, timeouts } = readKeySetOutputs(props);
  const before = unpackRecords(records);
  const deadline = new SetDeadline(timeouts, "delete");
  const outcome = await forEachKey([...before.keys()], { doing: `keys of ${vaultUrl}`, vaultUrl }, async (name) => {
    const record = before.get(name);
    if (record === undefined) return;
    await keyLifecycle.delete(
      objectId("keys", addressOf(props, name)),
      deadline.limited(keyOutputsOf(props, name, record)),
    );
  });
  const failure = failureOf(vaultUrl, [outcome]);
  if (failure === undefined) return;
  throw new KeyVaultError(failure.code, `the KeySet in ${vaultUrl} is not deleted: ${failure.message}`, {
    hint: "run it again: it goes on with them.",
    cause: failure,
  });
}
