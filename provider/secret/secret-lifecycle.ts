import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { containsUnknown } from "../engine/unknown.js";
import type { KeyVaultError } from "../keyvault/errors.js";
import { createObject } from "../object/create-object.js";
import { deleteObject } from "../object/delete-object.js";
import { diffObject } from "../object/diff-object.js";
import { tellRefusal } from "../object/tell-refusal.js";
import { plans } from "../object/update-plan.js";
import { objectLabel } from "../vault/object-address.js";
import { cannotRepeat } from "./cannot-repeat.js";
import { checkSecret } from "./check-secret.js";
import { isRecipe, isSameRecipe } from "./generated-value.js";
import { planSecretUpdate } from "./plan-secret-update.js";
import { readSecret } from "./read-secret.js";
import { readDeletableSecret, readSecretInputs, readSecretOutputs } from "./recorded-secret.js";
import { SECRET_ATTRIBUTES } from "./secret-attributes.js";
import { SECRET } from "./secret-kind.js";
import { secretObject } from "./secret-object.js";
import { updateSecret } from "./update-secret.js";

/** What happens to a Secret on each call of the engine. */
export const secretLifecycle: ResourceLifecycle = {
  check: checkSecret,
  diff: async (_id, olds, news) => {
    tellNewValue(olds, news);
    tellRefusal(olds, news, SECRET_ATTRIBUTES.clearedByVersion, () => refusalOfUpdate(olds, news));
    return diffObject("secret", olds, news);
  },
  create: async (properties) => createObject(SECRET, readSecretInputs(properties)),
  read: readSecret,
  update: updateSecret,
  delete: async (_id, props) => deleteObject("secret", secretObject, readDeletableSecret(props)),
};

/** A preview shows that the recipe changed; that everybody who has the value gets another one is said. */
function tellNewValue(olds: Properties, news: Properties): void {
  if (!isRecipe(news.generate) || containsUnknown(news.generate)) return;
  const isSame = isRecipe(olds.generate) && isSameRecipe(olds.generate, news.generate);
  const isSwapped = olds.expectedValueDigest !== undefined && olds.expectedValueDigest !== olds.valueDigest;
  const isUncompared = olds.uncomparedValue === true;
  if (isSame && !isSwapped && !isUncompared) return;
  const secret = `secret "${olds.name}" in ${olds.vaultUrl}`;
  if (isSame && isUncompared) tell(`${secret} gets a new generated value, unless the one made outside is the same`);
  else tell(`${secret} gets a new generated value${isSwapped ? ": its value was changed outside" : ""}`);
}

function refusalOfUpdate(olds: Properties, news: Properties): KeyVaultError | undefined {
  const inputs = readSecretInputs(news);
  const isRefused = plans(planSecretUpdate(readSecretOutputs(olds), inputs), "refuse");
  return isRefused ? cannotRepeat(objectLabel("secret", inputs), "cannot be read") : undefined;
}
