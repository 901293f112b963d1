import type { ObjectInputs } from "./object-inputs.js";
import type { ObjectKind } from "./object-kind.js";
import { hasOwnerTag, type Owner, ownerOf } from "./owner-tag.js";
import { patchVersion } from "./patch-version.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";

/**
 * Puts the mark on an object that the run which took it was to put there, and whose answer was lost. Undefined where
 * nothing is due, and where somebody else has marked it meanwhile.
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
    owner,
  }: { recorded: { version?: string | undefined; formerToken?: string | undefined }; owner: Owner | undefined },
): Promise<B | undefined> {
  if (recorded.formerToken === undefined || owner === undefined) return undefined;
  const current = await object.current();
  if (current === undefined || current.version !== recorded.version) return undefined;
  const found = ownerOf(current.tags);
  if (found?.token === owner.token) return current;
  if (hasOwnerTag(current.tags) && found?.token !== recorded.formerToken) return undefined;
  return patchVersion(kind, object, current, {
    changed: ["tags"],
    target: kind.attributes.observed(current, inputs),
    owner,
  });
}
