import type { ResourceLifecycle } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { deleteObject } from "../object/delete-object.js";
import { diffObject } from "../object/diff-object.js";
import { checkKey } from "./check-key.js";
import { KEY } from "./key-kind.js";
import { keyObject } from "./key-object.js";
import { readKey } from "./read-key.js";
import { readDeletableKey, readKeyInputs } from "./recorded-key.js";
import { tellRefusal } from "./tell-refusal.js";
import { updateKey } from "./update-key.js";

/** What happens to a Key on each call of the engine. */
export const keyLifecycle: ResourceLifecycle = {
  check: checkKey,
  diff: async (_id, olds, news) => {
    tellRefusal(olds, news);
    return diffObject("key", olds, news);
  },
  create: async (properties) => createObject(KEY, readKeyInputs(properties)),
  read: readKey,
  update: updateKey,
  delete: async (_id, props) => deleteObject("key", keyObject, readDeletableKey(props)),
};
