import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import type { KeyVaultError } from "../keyvault/errors.js";
import { createObject } from "../object/create-object.js";
import { deleteObject } from "../object/delete-object.js";
import { diffObject } from "../object/diff-object.js";
import { tellRefusal } from "../object/tell-refusal.js";
import { propertiesTo } from "../object/update-plan.js";
import { cannotBeRemoved } from "./cannot-be-removed.js";
import { checkKey } from "./check-key.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";
import { canMakeSameVersion, KEY } from "./key-kind.js";
import { keyObject } from "./key-object.js";
import { planKeyUpdate } from "./plan-key-update.js";
import { readKey } from "./read-key.js";
import { readDeletableKey, readKeyInputs, readKeyOutputs } from "./recorded-key.js";
import { updateKey } from "./update-key.js";

/** What happens to a Key on each call of the engine. */
export const keyLifecycle: ResourceLifecycle = {
  check: checkKey,
  diff: async (_id, olds, news) => {
    tellRefusal(olds, news, KEY_ATTRIBUTES.clearedByVersion, () => refusalOfUpdate(olds, news));
    return diffObject("key", olds, news);
  },
  create: async (properties) => createObject(KEY, readKeyInputs(properties)),
  read: readKey,
  update: updateKey,
  delete: async (_id, props) => deleteObject("key", keyObject, readDeletableKey(props)),
};

function refusalOfUpdate(olds: Properties, news: Properties): KeyVaultError | undefined {
  const inputs = readKeyInputs(news);
  const refused = propertiesTo(planKeyUpdate(readKeyOutputs(olds), inputs, canMakeSameVersion(inputs)), "refuse");
  return refused.length > 0 ? cannotBeRemoved(inputs, refused) : undefined;
}
