import { tell } from "../engine/progress.js";
import { type AttributeRules, pickAttributes, undeclaredAttributes } from "./attributes.js";
import { noteSeenMark, noteUnmarked } from "./declared-objects.js";
import { leavesRestToVault, type ObjectInputs } from "./object-inputs.js";
import { describeOwner, hasOwnerTag, OWNER_TAG, ownerOf } from "./owner-tag.js";
import { tellUnmanagedChanges } from "./unmanaged-change.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";

/**
 * The mark of a resource that lost it is put on again with the next write. That another has it is told, and recorded
 * for what is written then.
 */
export function observeOwner(
  { kind, address, label }: VaultObject,
  { ownerToken, otherMark }: { ownerToken?: string; otherMark?: string },
  { tags }: VersionBundle,
): { ownerToken?: string; otherMark?: string } {
  if (ownerToken !== undefined) noteSeenMark(kind, address);
  if (!hasOwnerTag(tags)) noteUnmarked(kind, address);
  // What was adopted without a mark goes on knowing whose it was.
  if (ownerToken === undefined) return otherMark === undefined ? {} : { otherMark };
  if (!hasOwnerTag(tags)) return {};
  if (ownerOf(tags)?.token === ownerToken) return { ownerToken };
  tell(`${label} is now owned by ${describeOwner(tags)} by its tag`);
  return { ownerToken, otherMark: tags[OWNER_TAG] ?? "" };
}

/** What the program leaves to the vault is recorded as it is, and its changes are told: they are no drift. */
export function observeFound<I extends ObjectInputs & A, A extends object, B extends VersionBundle>(
  { label }: VaultObject<B>,
  rules: AttributeRules<I, A, B>,
  recorded: I & { found?: A },
  bundle: B,
): A | undefined {
  if (!leavesRestToVault(recorded)) return undefined;
  const declared = pickAttributes<A>(rules, recorded);
  const now = rules.observed(bundle);
  const before: Partial<A> = recorded.found ?? {};
  tellUnmanagedChanges<A>(label, rules.names, { before, now, declared });
  return undeclaredAttributes(rules, now, declared);
}
