import type { Properties } from "../engine/lifecycle.js";
import type { KeyVaultError } from "../keyvault/errors.js";
import { plans } from "../object/update-plan.js";
import { objectLabel } from "../vault/object-address.js";
import { cannotRepeat } from "./cannot-repeat.js";
import { planSecretUpdate } from "./plan-secret-update.js";
import { readSecretInputs, readSecretOutputs } from "./recorded-secret.js";

/** What an update would be refused with, without asking the vault; undefined where nothing speaks against it. */
export function refusalOfSecretUpdate(olds: Properties, news: Properties): KeyVaultError | undefined {
  const inputs = readSecretInputs(news);
  const isRefused = plans(planSecretUpdate(readSecretOutputs(olds), inputs), "refuse");
  return isRefused ? cannotRepeat(objectLabel("secret", inputs), "cannot be read") : undefined;
}
