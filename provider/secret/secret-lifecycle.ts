import type { ResourceLifecycle } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { deleteObject } from "../object/delete-object.js";
import { diffObject } from "../object/diff-object.js";
import { checkSecret } from "./check-secret.js";
import { readSecret } from "./read-secret.js";
import { readDeletableSecret, readSecretInputs } from "./recorded-secret.js";
import { SECRET } from "./secret-kind.js";
import { secretObject } from "./secret-object.js";
import { updateSecret } from "./update-secret.js";

/** What happens to a Secret on each call of the engine. */
export const secretLifecycle: ResourceLifecycle = {
  check: checkSecret,
  diff: async (_id, olds, news) => diffObject("secret", olds, news),
  create: async (properties) => createObject(SECRET, readSecretInputs(properties)),
  read: readSecret,
  update: updateSecret,
  delete: async (_id, props) => deleteObject("secret", secretObject, readDeletableSecret(props)),
};
