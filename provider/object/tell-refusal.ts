import type { Properties } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { containsUnknown } from "../engine/unknown.js";
import { isKeyVaultError, type KeyVaultError } from "../keyvault/errors.js";
import { replacedBy } from "../vault/replaced-by.js";
import { formatRefusalReport } from "./refusal-report.js";

/**
 * A preview calls no update: what the update will refuse is told where the engine asks for the difference.
 *
 * @param clearedByVersion The attributes that only a new version is without.
 * @param refusalOf The refusal that the update would end in.
 */
export async function tellRefusal(
  olds: Properties,
  news: Properties,
  clearedByVersion: readonly string[],
  refusalOf: () => Promise<KeyVaultError | undefined>,
): Promise<void> {
  const isCleared = clearedByVersion.some((attribute) => olds[attribute] && !news[attribute]);
  if (!isCleared || containsUnknown(news) || replacedBy(olds, news).length > 0) return;
  try {
    const refusal = await refusalOf();
    if (refusal) tell(formatRefusalReport(refusal.message));
  } catch (error) {
    // A state that cannot be read is refused by what acts on it.
    if (!isKeyVaultError(error)) throw error;
  }
}
