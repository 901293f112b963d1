import { KeyVaultError } from "../keyvault/errors.js";
import { attributesToChange, differingAttributes } from "./attributes.js";
import { ownerInThisRun } from "./declared-objects.js";
import type { ObjectInputs } from "./object-inputs.js";
import type { ObjectKind } from "./object-kind.js";
import { formatOwner, hasRoomForMark, OWNER_TAG, type Owner, ownerOf, withOwnerTag } from "./owner-tag.js";
import { patchVersion } from "./patch-version.js";
import { untilRecovered } from "./recover-object.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";
import { writeOnce } from "./write-once.js";
import type { WrittenMark } from "./written-mark.js";

interface TaggedAttributes {
  tags?: Record<string, string>;
}

/** The version that the program wants, with everything that belongs to it: nothing is inherited from the one before. */
export interface WantedVersion<A> {
  attributes: A;
  /** The mark that it carries; undefined where owner tags are off. */
  owner: Owner | undefined;
  /** The version that was looked at before; undefined where nothing was there. */
  before: string | undefined;
}

/**
 * Makes a version from the program's source: imports, sets or generates. It is sent once: where the answer is lost the
 * vault is looked at, and only a version that equals what was sent, completely, is taken for it.
 */
export async function makeVersion<I extends ObjectInputs, A extends TaggedAttributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  inputs: I,
  wanted: WantedVersion<A>,
): Promise<B> {
  const { before, owner } = wanted;
  const tags = withOwnerTag(wanted.attributes.tags, owner);
  const sent: A = Object.keys(tags).length > 0 ? { ...wanted.attributes, tags } : wanted.attributes;
  return writeOnce({
    what: `a version of ${object.label}`,
    deadline: object.deadline,
    send: () => kind.send(object, inputs, sent, () => mustStandAt(object, before)),
    look: async () => {
      const found = await object.current();
      if (!found || found.version === before) return undefined;
      if (await isAsWanted(kind, inputs, found, wanted)) return found;
      throw writtenByAnother(object, before);
    },
  });
}

/**
 * As {@link makeVersion}, for an object that state knows: looks first, since the run before may have made the version
 * and lost its state, and again after each refusal that passes by itself.
 *
 * @param known the version that state knows, and knows not to be the wanted one.
 * @param uncompared the version that state knows, and of whose source it knows nothing. The object is this resource's,
 * whoever's mark it carries: of the program's source it needs no other version.
 */
export async function makeNextVersion<I extends ObjectInputs & A, A extends TaggedAttributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  inputs: I,
  {
    known,
    uncompared,
    mark,
    attributesOver,
  }: {
    known: string | undefined;
    uncompared?: string | undefined;
    mark: WrittenMark;
    attributesOver(bundle: B | undefined): A;
  },
): Promise<B> {
  let refusal: unknown;
  return object.deadline.whileBusy(`${object.label} to be free`, async () => {
    await untilRecovered(object, refusal);
    const current = await object.current();
    if (current) mark.see(current.tags);
    const { owner } = mark;
    const wanted = { attributes: attributesOver(current), owner, before: current?.version };
    if (current && current.version !== known) {
      if (await isAsWanted(kind, inputs, current, wanted)) return current;
      const isRecorded = current.version === uncompared;
      if (isRecorded || isMarkedBy(current, owner) || isOfThisStack(kind, inputs, current)) {
        const changed = await changesOfVersion(kind, inputs, current);
        if (changed) return patchMarked(kind, object, current, { changed, target: wanted.attributes, owner });
      }
    }
    try {
      return await makeVersion(kind, object, inputs, wanted);
    } catch (error) {
      refusal = error;
      throw error;
    }
  });
}

/** Gives a version that is ours by its source, or by state alone, what it lacks, our mark included where there is room. */
async function patchMarked<I extends ObjectInputs & A, A extends TaggedAttributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  object: VaultObject<B>,
  bundle: B,
  { changed, target, owner }: { changed: (keyof A)[]; target: A; owner: Owner | undefined },
): Promise<B> {
  const isToMark = owner !== undefined && !isMarkedBy(bundle, owner) && hasRoomForMark(target.tags);
  const all = isToMark && !changed.includes("tags") ? [...changed, "tags" as const] : changed;
  if (all.length === 0) return bundle;
  return patchVersion(kind, object, bundle, {
    changed: all,
    target,
    owner: isToMark || isMarkedBy(bundle, owner) ? owner : undefined,
  });
}

/**
 * Marked by a resource of this stack, whose own state need not know it yet: by this one under the name that the program
 * gives it now, or by the one that had the object in between. A run made it that was cut off.
 */
function isOfThisStack<I extends ObjectInputs & A, A extends TaggedAttributes, B extends VersionBundle>(
  { noun }: ObjectKind<I, A, B>,
  inputs: I,
  { tags }: B,
): boolean {
  const own = ownerInThisRun(noun, inputs);
  return own !== undefined && ownerOf(tags)?.stack === own.stack;
}

function isMarkedBy({ tags }: VersionBundle, owner: Owner | undefined): boolean {
  return owner !== undefined && tags[OWNER_TAG] === formatOwner(owner);
}

/**
 * The attributes that a version lacks whose source is already the program's: the run before made it, and the program
 * has changed since. Undefined where it takes another version.
 */
async function changesOfVersion<I extends ObjectInputs & A, A extends TaggedAttributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  inputs: I,
  bundle: B,
): Promise<(keyof A)[] | undefined> {
  if ((await kind.matches(inputs, bundle)) !== true) return undefined;
  const changed = attributesToChange(kind.attributes, inputs, bundle);
  const isCleared = (attribute: keyof A): boolean =>
    kind.attributes.clearedByVersion.includes(attribute) && inputs[attribute] === undefined;
  return changed.some(isCleared) ? undefined : changed;
}

/** Whether a version equals what would be sent: source, attributes and owner. What cannot be compared needs our mark. */
export async function isAsWanted<I extends ObjectInputs, A extends TaggedAttributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  inputs: I,
  bundle: B,
  { attributes, owner }: { attributes: A; owner: Owner | undefined },
): Promise<boolean> {
  const isMarked = isMarkedBy(bundle, owner);
  if (owner !== undefined && hasRoomForMark(attributes.tags) && !isMarked) return false;
  const matches = await kind.matches(inputs, bundle);
  if (matches === false || (matches === undefined && !isMarked)) return false;
  return differingAttributes(kind.attributes, kind.attributes.observed(bundle, attributes), attributes).every(
    (attribute) => attributes[attribute] === undefined && kind.attributes.isSetByService(attribute, inputs, bundle),
  );
}

/** Whether a name still holds what was looked at before the write. Throws what sends the caller back to its look. */
export async function mustStandAt(object: VaultObject, before: string | undefined): Promise<void> {
  const found = await object.current();
  if (found?.version === before) return;
  throw new KeyVaultError(
    "KV_CONFLICT",
    `a write of ${object.label} had to wait, and the vault holds another version by now: it was not sent`,
    {
      retryable: true,
      hint: `somebody else writes this ${object.kind}: run \`pulumi preview --refresh\` and look at the difference`,
    },
  );
}

function writtenByAnother({ label, kind }: VaultObject, before: string | undefined): KeyVaultError {
  return new KeyVaultError(
    "KV_CONFLICT",
    `the answer to a write of ${label} was lost, and the vault now holds a version that is not the one sent${
      before === undefined ? "" : ` (before it: ${before})`
    }`,
    {
      mayHaveHappened: true,
      hint: `somebody else writes this ${kind}: run \`pulumi preview --refresh\` and look at the difference`,
    },
  );
}
