import type { ObjectInputs } from "./object-inputs.js";
import type { ObjectKind, PatchedVersion } from "./object-kind.js";
import { type Owner, withOwnerTag } from "./owner-tag.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";
import { writeOnce } from "./write-once.js";
import type { WrittenMark } from "./written-mark.js";

/**
 * Gives attributes of a version their target values, in one request. The version that is known is named: without it, a
 * version that somebody else has made meanwhile would be patched, and taken for the known one. A refusal that passes
 * by itself is waited out; an answer that was lost is looked for.
 *
 * @param owner the mark to put on the object where the request writes its tags.
 */
export async function patchVersion<
  I extends ObjectInputs,
  A extends { tags?: Record<string, string> },
  B extends VersionBundle,
>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  bundle: PatchedVersion,
  { changed, target, owner }: { changed: readonly (keyof A)[]; target: A; owner: Owner | undefined },
): Promise<B> {
  const tags = withOwnerTag(target.tags, owner);
  const sent: A = changed.includes("tags") ? { ...target, tags } : target;
  return object.deadline.whileBusy(`${object.label} to be free`, () =>
    writeOnce({
      what: `the change of ${object.label}`,
      deadline: object.deadline,
      send: () => kind.patch(object, bundle, changed, sent),
      look: async () => {
        const found = await object.current();
        if (!found || found.version !== bundle.version) return undefined;
        const observed = kind.attributes.observed(found, target);
        const isDone = changed.every((attribute) =>
          attribute === "tags"
            ? kind.attributes.same("tags", found.tags, tags)
            : kind.attributes.same(attribute, observed[attribute], target[attribute]),
        );
        return isDone ? found : undefined;
      },
    }),
  );
}

/**
 * As {@link patchVersion}, for an object that state knows and nobody has looked at: a request that writes tags looks
 * first, since it would replace the mark of a stack that has taken the object meanwhile.
 *
 * @param isMarked whether the request may put a mark there: there is one, or there is room for it.
 */
export async function patchKnown<
  I extends ObjectInputs,
  A extends { tags?: Record<string, string> },
  B extends VersionBundle,
>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  recorded: PatchedVersion,
  {
    changed,
    target,
    mark,
    isMarked,
  }: { changed: readonly (keyof A)[]; target: A; mark: WrittenMark; isMarked: boolean },
): Promise<B> {
  if (changed.includes("tags") && mark.needsLook) {
    const found = await object.current();
    if (found) mark.see(found.tags);
  }
  const owner = isMarked || mark.isAnothers ? mark.owner : undefined;
  const patched = await patchVersion(kind, object, recorded, { changed, target, owner });
  mark.see(patched.tags);
  return patched;
}
