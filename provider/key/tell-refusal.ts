import type { Properties } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { containsUnknown } from "../engine/unknown.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import { formatRefusalReport } from "../object/refusal-report.js";
import { propertiesTo } from "../object/update-plan.js";
import { replacedBy } from "../vault/replaced-by.js";
import { cannotBeRemoved } from "./cannot-be-removed.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";
import { canMakeSameVersion } from "./key-kind.js";
import { planKeyUpdate } from "./plan-key-update.js";
import { readKeyInputs, readKeyOutputs } from "./recorded-key.js";

/** A preview calls no update: what the update will refuse is told where the engine asks for the difference. */
export function tellRefusal(olds: Properties, news: Properties): void {
  const isCleared = KEY_ATTRIBUTES.clearedByVersion.some((attribute) => olds[attribute] && !news[attribute]);
  if (!isCleared || containsUnknown(news) || replacedBy(olds, news).length > 0) return;
  try {
    const inputs = readKeyInputs(news);
    const refused = propertiesTo(planKeyUpdate(readKeyOutputs(olds), inputs, canMakeSameVersion(inputs)), "refuse");
    if (refused.length > 0) tell(formatRefusalReport(cannotBeRemoved(inputs, refused).message));
  } catch (error) {
    // A state that cannot be read is refused by what acts on it.
    if (!isKeyVaultError(error)) throw error;
  }
}
