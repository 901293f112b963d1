import type { Properties } from "../engine/lifecycle.js";
import { keyLifecycle } from "../key/key-lifecycle.js";
import { objectId } from "../vault/object-address.js";
import { forEachKey } from "./each-key.js";
import { failureOf } from "./key-failures.js";
import { addressOf } from "./key-set-inputs.js";
import { keyOutputsOf } from "./key-set-outputs.js";
import { unpackRecords } from "./packed-records.js";
import { readKeySetOutputs } from "./recorded-key-set.js";
import { SetDeadline } from "./set-deadline.js";

/**
 * Does to each key of a set what its `onDelete` says. What is gone already is done, and so a second run goes on. The
 * engine takes no half deletion: until all are done, state has the whole set.
 */
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
  const failure = failureOf(vaultUrl, [outcome], {
    what: () => "could not be deleted",
    hint: "run it again: it goes on with them. With the others it is done, though state has the whole set until then: to keep the set after all, run `pulumi up --refresh`, which brings them back",
  });
  if (failure !== undefined) throw failure;
}
