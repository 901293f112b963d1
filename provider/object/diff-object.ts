import type { Properties, ResourceDiff } from "../engine/lifecycle.js";
import { sameObject } from "../vault/object-address.js";
import { replacedBy } from "../vault/replaced-by.js";
import { noteRecordedToken } from "./declared-objects.js";
import { tellIfUnpurgeable } from "./delete-object.js";

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
  return { changes: undefined, replaces: replacedBy(olds, news), deleteBeforeReplace: sameObject(olds, news) };
}
