import type { Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { isSameVault } from "./vault-identity.js";

/**
 * The vault, and the name where a resource has one, make it another resource where they change. Another spelling of
 * the same is no change, and what a preview does not know yet is none either.
 */
export function replacedBy(olds: Properties, news: Properties): string[] {
  return ["vaultUrl", "name"].filter((property) => {
    const [before, after] = [olds[property], news[property]];
    if (before === after || isUnknown(after)) return false;
    if (typeof before !== "string" || typeof after !== "string") return true;
    return property === "vaultUrl" ? !isSameVault(before, after) : before.toLowerCase() !== after.toLowerCase();
  });
}
