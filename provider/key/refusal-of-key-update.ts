import type { Properties } from "../engine/lifecycle.js";
import type { KeyVaultError } from "../keyvault/errors.js";
import { propertiesTo } from "../object/update-plan.js";
import { cannotBeRemoved } from "./cannot-be-removed.js";
import { canMakeSameVersion } from "./key-kind.js";
import { planKeyUpdate } from "./plan-key-update.js";
import { readKeyInputs, readKeyOutputs } from "./recorded-key.js";

/** What an update would be refused with, without asking the vault; undefined where nothing speaks against it. */
export function refusalOfKeyUpdate(olds: Properties, news: Properties): KeyVaultError | undefined {
  const inputs = readKeyInputs(news);
  const refused = propertiesTo(planKeyUpdate(readKeyOutputs(olds), inputs, canMakeSameVersion(inputs)), "refuse");
  return refused.length > 0 ? cannotBeRemoved(inputs, refused) : undefined;
}
