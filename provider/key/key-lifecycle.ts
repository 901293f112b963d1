import type { Properties, ResourceDiff, ResourceLifecycle } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { deleteObject, tellIfUnpurgeable } from "../object/delete-object.js";
import { sameObject } from "../vault/object-address.js";
import { checkKey } from "./check-key.js";
import { KEY } from "./key-kind.js";
import { keyObject } from "./key-object.js";
import { readKey } from "./read-key.js";
import { readDeletableKey, readKeyInputs } from "./recorded-key.js";
import { updateKey } from "./update-key.js";

/** What happens to a Key on each call of the engine. */
export const keyLifecycle: ResourceLifecycle = {
  check: checkKey,
  diff: diffKey,
  create: async (properties) => createObject(KEY, readKeyInputs(properties)),
  read: readKey,
  update: updateKey,
  delete: async (_id, props) => deleteObject("key", keyObject, readDeletableKey(props)),
};

/**
 * Another vault or name is another key; everything else is done in place. Where the engine replaces a key under its
 * own name (`--replace`, `replaceOnChanges`), the old one has to go first: there is only one key of a name.
 */
async function diffKey(_id: string, olds: Properties, news: Properties): Promise<ResourceDiff> {
  const replaces = (["vaultUrl", "name"] as const).filter((property) => olds[property] !== news[property]);
  if (olds.onDelete !== "purge") tellIfUnpurgeable("key", news, olds.recoveryLevel);
  return { changes: undefined, replaces, deleteBeforeReplace: sameObject(olds, news) };
}
