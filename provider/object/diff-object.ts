import { isRecord } from "../engine/input-check.js";
import type { Properties, ResourceDiff } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { objectLabel, sameObject } from "../vault/object-address.js";
import { replacedBy } from "../vault/replaced-by.js";
import { noteRecordedToken } from "./declared-objects.js";
import { tellIfUnpurgeable } from "./delete-object.js";
import { leavesRestToVault } from "./object-inputs.js";

/**
 * Another vault or name is another object; everything else is done in place. Where the engine replaces an object under
 * its own name (`--replace`, `replaceOnChanges`), the old one has to go first: there is only one of a name.
 */
export function diffObject(kind: "key" | "secret", olds: Properties, news: Properties): ResourceDiff {
  const { vaultUrl, name, ownerToken } = olds;
  if (typeof vaultUrl === "string" && typeof name === "string" && typeof ownerToken === "string") {
    noteRecordedToken(kind, { vaultUrl, name }, ownerToken);
  }
  if (olds.onDelete !== "purge") tellIfUnpurgeable(kind, news, olds.recoveryLevel);
  tellIfTagsGo(kind, olds, news);
  return { changes: undefined, replaces: replacedBy(olds, news), deleteBeforeReplace: sameObject(olds, news) };
}

/** The engine shows inputs, and what was left to the vault is none of them. */
function tellIfTagsGo(kind: "key" | "secret", olds: Properties, news: Properties): void {
  const { found, vaultUrl, name } = olds;
  if (!leavesRestToVault(olds) || leavesRestToVault(news) || news.tags !== undefined) return;
  if (!isRecord(found) || !isRecord(found.tags) || typeof vaultUrl !== "string" || typeof name !== "string") return;
  tell(
    `${objectLabel(kind, { vaultUrl, name })} loses its tags: they were left to the vault, and the program that now makes the ${kind} declares none`,
  );
}
