import type { Properties } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { containsUnknown } from "../engine/unknown.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { formatRefusalReport } from "../object/refusal-report.js";
import { propertiesTo } from "../object/update-plan.js";
import { objectLabel } from "../vault/object-address.js";
import { replacedBy } from "../vault/replaced-by.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";
import type { KeyInputs } from "./key-inputs.js";
import { canMakeSameVersion } from "./key-kind.js";
import { planKeyUpdate } from "./plan-key-update.js";
import { readKeyInputs, readKeyOutputs } from "./recorded-key.js";

/** The refusal of an update whose key would have to lose what the service can move and not clear. */
export function cannotBeRemoved(inputs: KeyInputs, refused: readonly string[]): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `${refused.join(" and ")} of ${objectLabel("key", inputs)} cannot be removed: the service can only move it, and only a new version is without it`,
    {
      hint:
        inputs.generate === undefined
          ? "run with the key material at hand, which makes a new version from it, or set a later moment"
          : "change generate.keepers, which makes a version of new material, or set a later moment",
    },
  );
}

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
