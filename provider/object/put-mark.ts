import type { ObjectInputs } from "./object-inputs.js";
import type { ObjectKind } from "./object-kind.js";
import { hasOwnerTag, ownerOf } from "./owner-tag.js";
import { patchVersion } from "./patch-version.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";
import type { WrittenMark } from "./written-mark.js";

/**
 * Puts the mark on an object that what was written has left without: the run which took it was to put it there, and its
 * answer was lost, or the program takes back what another stack has. Undefined where nothing is due, and where somebody
 * else has marked it meanwhile.
 */
export async function putDueMark<
  I extends ObjectInputs & A,
  A extends { tags?: Record<string, string> },
  B extends VersionBundle,
>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  inputs: I,
  {
    recorded,
    mark,
    written,
  }: {
    recorded: { version?: string | undefined; formerToken?: string | undefined };
    mark: WrittenMark;
    /** What this update has written. */
    written: B | undefined;
  },
): Promise<B | undefined> {
  const { own: owner, isToTakeBack } = mark;
  if (owner === undefined || !(isToTakeBack || (recorded.formerToken !== undefined && written === undefined))) {
    return undefined;
  }
  if (ownerOf(written?.tags)?.token === owner.token) return undefined;
  const current = written ?? (await object.current());
  if (current === undefined || current.version !== (written ?? recorded).version) return undefined;
  const found = ownerOf(current.tags);
  if (found?.token === owner.token) return current;
  if (!isToTakeBack && hasOwnerTag(current.tags) && found?.token !== recorded.formerToken) return undefined;
  return patchVersion(kind, object, current, {
    changed: ["tags"],
    target: kind.attributes.observed(current, inputs),
    owner,
  });
}
