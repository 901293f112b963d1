import type { Properties, ResourceDiff, ResourceLifecycle } from "../engine/lifecycle.js";
import { deleteObject, tellIfUnpurgeable } from "../object/delete-object.js";
import { sameObject } from "../vault/object-address.js";
import { checkSecret } from "./check-secret.js";
import { createSecret } from "./create-secret.js";
import { readSecret } from "./read-secret.js";
import { updateSecret } from "./update-secret.js";

/** What happens to a Secret on each call of the engine. */
export const secretLifecycle: ResourceLifecycle = {
  check: checkSecret,
  diff: diffSecret,
  create: createSecret,
  read: readSecret,
  update: updateSecret,
  delete: (_id, props) => deleteObject("secret", props),
};

async function diffSecret(_id: string, olds: Properties, news: Properties): Promise<ResourceDiff> {
  if (olds.onDelete !== "purge") tellIfUnpurgeable("secret", news, olds.recoveryLevel);
  const replaces = ["vaultUrl", "name"].filter((property) => olds[property] !== news[property]);
  return { changes: undefined, replaces, deleteBeforeReplace: sameObject(olds, news) };
}
