import type { Properties, ResourceDiff, ResourceLifecycle } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { deleteObject, tellIfUnpurgeable } from "../object/delete-object.js";
import { sameObject } from "../vault/object-address.js";
import { checkSecret } from "./check-secret.js";
import { readSecret } from "./read-secret.js";
import { readDeletableSecret, readSecretInputs } from "./recorded-secret.js";
import { SECRET } from "./secret-kind.js";
import { secretObject } from "./secret-object.js";
import { updateSecret } from "./update-secret.js";

/** What happens to a Secret on each call of the engine. */
export const secretLifecycle: ResourceLifecycle = {
  check: checkSecret,
  diff: diffSecret,
  create: async (properties) => createObject(SECRET, readSecretInputs(properties)),
  read: readSecret,
  update: updateSecret,
  delete: async (_id, props) => deleteObject("secret", secretObject, readDeletableSecret(props)),
};

async function diffSecret(_id: string, olds: Properties, news: Properties): Promise<ResourceDiff> {
  if (olds.onDelete !== "purge") tellIfUnpurgeable("secret", news, olds.recoveryLevel);
  const replaces = ["vaultUrl", "name"].filter((property) => olds[property] !== news[property]);
  return { changes: undefined, replaces, deleteBeforeReplace: sameObject(olds, news) };
}
