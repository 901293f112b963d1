import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { loadedOnce } from "../engine/loaded-once.js";
import { tell } from "../engine/progress.js";
import { containsUnknown } from "../engine/unknown.js";
import { diffObject } from "../object/diff-object.js";
import { tellRefusal } from "../object/tell-refusal.js";
import { isRecipe, isSameRecipe } from "./generated-value.js";
import { SECRET_ATTRIBUTES } from "./secret-attributes.js";

const checking = loadedOnce(() => import("./check-secret.js"));
const creation = loadedOnce(() => import("./create-secret.js"));
const reading = loadedOnce(() => import("./read-secret.js"));
const update = loadedOnce(() => import("./update-secret.js"));
const deletion = loadedOnce(() => import("./delete-secret.js"));

/** What happens to a Secret on each call of the engine. Each loads what it needs, and no preview waits for what only an update has to have. */
export const secretLifecycle: ResourceLifecycle = {
  check: async (olds, news) => (await checking()).checkSecret(olds, news),
  diff: async (_id, olds, news) => {
    tellNewValue(olds, news);
    await tellRefusal(olds, news, SECRET_ATTRIBUTES.clearedByVersion, async () => {
      const { refusalOfSecretUpdate } = await import("./refusal-of-secret-update.js");
      return refusalOfSecretUpdate(olds, news);
    });
    return diffObject("secret", olds, news);
  },
  create: async (properties) => (await creation()).createSecret(properties),
  read: async (id, props) => (await reading()).readSecret(id, props),
  update: async (id, olds, news) => (await update()).updateSecret(id, olds, news),
  delete: async (_id, props) => (await deletion()).deleteSecret(props),
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
