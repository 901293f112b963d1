import { type Created, PartialFailure } from "../engine/lifecycle.js";
import { tell, warn } from "../engine/progress.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { attributesToChange, pickAttributes, targetAttributes, undeclaredAttributes } from "./attributes.js";
import { isRecorded, noteCreation, noteRefusedCreation, ownerInThisRun } from "./declared-objects.js";
import { tellIfUnpurgeable } from "./delete-object.js";
import { makeVersion } from "./make-version.js";
import { leavesRestToVault, type ObjectInputs } from "./object-inputs.js";
import type { Noted, ObjectKind, ObjectMarks } from "./object-kind.js";
import { isBusy, OperationDeadline } from "./operation-deadline.js";
import {
  describeOwner,
  formatOwner,
  hasOwnerTag,
  hasRoomForMark,
  isOfSameResource,
  MOST_TAGS,
  markOfAdopted,
  OWNER_TAG,
  type Owner,
  ownerOf,
  takenOverToken,
} from "./owner-tag.js";
import { patchVersion } from "./patch-version.js";
import { disableSuperseded, disablesPrevious, enabledVersionBefore } from "./previous-versions.js";
import { recoverObject, untilRecovered } from "./recover-object.js";
import { restoredUnderOtherName, restoreObject } from "./restore-object.js";
import { isRestoredFrom } from "./restore-source.js";
import {
  alreadyExists,
  isAnothers,
  isOurs,
  ownedByCertificate,
  refuseOthersDeleted,
  standingOf,
  tellTakenOver,
} from "./standing.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";

type Attributes = { tags?: Record<string, string> };

/** One creation: what is to be made, of which kind, under whose mark. */
interface Creation<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle> {
  kind: ObjectKind<I, A, B>;
  inputs: I;
  object: VaultObject<B>;
  /** Undefined where owner tags are off. One that is there already may be kept: {@link keepMark}. */
  owner: Owner | undefined;
  /** What is ours, from the moment on that it is taken or the vault is changed: whatever fails then, it is recorded. */
  reached?: B;
  /** Whether the vault has agreed to its recovery, and has not shown it yet. */
  isComingBack?: boolean;
  /** Whether that is a version that this creation has made. */
  isMade?: true;
  /** Whether it is adopted as it is, without our mark. */
  isUnmarked?: true;
  /** What a version of this run has taken the place of, or one that a run made which was cut off. */
  superseded: Set<string>;
  /** Whether the object was there before, active or deleted. */
  isFound?: true;
  /** What is there beside the inputs, for the failure of what was to change it. */
  noted: Noted<I, A>;
}

/** A version, and whether everything was sent with it: then there is nothing left to converge. */
interface Made<B> {
  bundle: B;
  isComplete: boolean;
}

/**
 * Creates an object, once: looks before it writes, takes over what an interrupted run or another resource of this stack
 * has left, recovers a soft-deleted one, and never touches one that somebody else owns.
 */
export async function createObject<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  kind: ObjectKind<I, A, B>,
  inputs: I,
): Promise<Created> {
  noteCreation(kind.noun, inputs);
  const client = await vaultClient({ ...inputs, mayMakeVault: !inputs.adopt });
  const object = kind.bind(client, inputs, new OperationDeadline(inputs.timeouts?.create));
  const owner = kind.owner(inputs, ownerInThisRun(kind.noun, inputs));
  const creation: Creation<I, A, B> = { kind, inputs, object, owner, superseded: new Set(), noted: {} };
  try {
    const made = await takeOrMake(creation);
    await noteVersionBefore(creation, made);
    const bundle = await converge(creation, made);
    const note = (there: Noted<I, A>) => {
      creation.noted = { ...creation.noted, ...there };
    };
    await kind.complete?.(object, inputs, { isFound: creation.isFound === true, note });
    tellIfUnpurgeable(kind.noun, inputs, bundle.recoveryLevel);
    warnIfUnmarked(creation, bundle);
    const id = objectId(kind.collection, inputs);
    const outs = await kind.outputs(inputs, bundle, marksOf(creation, bundle));
    const { superseded, isFound = false } = creation;
    if (superseded.size === 0 || !disablesPrevious(inputs)) return { id, outs, isFound };
    return { id, outs: await disableSuperseded(object, { id, outs, superseded, isJustMade: true }), isFound };
  } catch (error) {
    if (creation.reached === undefined) noteRefusedCreation(kind.noun, inputs);
    throw await asPartialFailure(creation, error);
  }
}

/** While the name is busy it is looked at again: what comes back may be somebody else's object. */
async function takeOrMake<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
): Promise<Made<B>> {
  const { object } = creation;
  for (;;) {
    const existing = await object.current();
    if (existing) return takeOver(creation, existing);
    try {
      return await make(creation);
    } catch (error) {
      if (creation.reached || !isBusy(error)) throw error;
      await object.deadline.pause(`${object.label} to be free`, error);
      await untilRecovered(object, error);
    }
  }
}

/** A server may say "conflict" or "bad request" and no more where a soft-deleted object holds the name. */
function mayBeHeld(error: unknown): boolean {
  return isOddRefusal(error) || (isBusy(error) && error.code === "KV_CONFLICT");
}

/** A 400 in words that are not the service's, which says `BadParameter` of each request that it takes for a bad one. */
function isOddRefusal(error: unknown): boolean {
  return isKeyVaultError(error, "KV_INVALID_INPUT") && error.status === 400 && error.serviceCode !== "BadParameter";
}

async function make<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
): Promise<Made<B>> {
  const { inputs } = creation;
  if (inputs.adopt) return adoptDeleted(creation);
  if (inputs.restore !== undefined) return restore(creation, inputs.restore);
  try {
    return await written(creation, undefined);
  } catch (error) {
    const isHeld =
      isKeyVaultError(error, "KV_DELETED_RECOVERABLE") ||
      (mayBeHeld(error) && (await creation.object.deleted()) !== undefined);
    if (isHeld) return recover(creation, error);
    throw error;
  }
}

/** Takes an object that is there, where it is ours to take and is or becomes what the program says without new material. */
async function takeOver<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  bundle: B,
): Promise<Made<B>> {
  const { kind, inputs, object } = creation;
  creation.isFound = true;
  if (bundle.managed) throw ownedByCertificate(object);
  const standing = standingOf(creation, bundle.tags);
  const isWithoutState = standing === "own" && !isRecorded(kind.noun, inputs);
  keepMark(creation, bundle, isWithoutState);
  if (inputs.adopt) {
    kind.verify(inputs, bundle, "adopt");
    if (isWithoutState) tellTakenOver(creation, standing);
    if (hasOwnerTag(bundle.tags) && standing !== "own") {
      tell(`${object.label} was owned by ${describeOwner(bundle.tags)}, and is adopted by this resource`);
    }
    return asAdopted(creation, bundle);
  }
  if (standing === "foreign") throw alreadyExists(creation, bundle, standing);
  if (inputs.restore !== undefined) {
    if (standing !== "released" && !isRecorded(kind.noun, inputs) && !isRestoredFrom(inputs.restore, bundle)) {
      throw alreadyExists(creation, bundle, standing);
    }
    tellTakenOver(creation, standing);
    return { bundle, isComplete: false };
  }
  const matches = await kind.matches(inputs, bundle);
  // The engine may create first what takes its own place: the preview has shown what becomes another.
  const isReplaced = standing !== "same-stack" && isRecorded(kind.noun, inputs);
  if (
    standing === "released" ||
    isReplaced ||
    matches === true ||
    (standing === "own" && isHiddenByDisabling(creation, bundle, matches))
  ) {
    const made = await withSource(creation, bundle, isReplaced);
    tellTakenOver(creation, standing);
    return made;
  }
  throw alreadyExists(creation, bundle, standing, matches === undefined);
}

/**
 * An object that bears this resource's own mark keeps it, unless it is taken without state: then another state may have
 * it too, and from now on the two differ.
 */
function keepMark<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  { tags }: B,
  isWithoutState: boolean,
): void {
  const { owner, inputs } = creation;
  const found = ownerOf(tags);
  if (owner === undefined || found === undefined || !isOfSameResource(found, owner)) return;
  // Each backup of one object is other bytes: a restored object goes on saying which one it came from.
  const source = inputs.restore === undefined ? owner.source : found.source;
  creation.owner = {
    stack: owner.stack,
    token: isWithoutState ? takenOverToken(owner.token) : found.token,
    ...(source === undefined ? {} : { source }),
  };
}

/**
 * A secret that `onDelete: "disable"` has disabled shows its value to nobody. The program has it and wants it enabled: it
 * gets a version of the program's value, and the disabled one stays as it is. Never new key material.
 */
function isHiddenByDisabling<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { inputs }: Creation<I, A, B>,
  { enabled }: B,
  matches: boolean | undefined,
): boolean {
  if (matches !== undefined || enabled) return false;
  const isGenerated = "generate" in inputs && inputs.generate !== undefined;
  return !isGenerated && !("enabled" in inputs && inputs.enabled === false);
}

/** An adopted object as it is, or with a version of the source that the program gives beside. */
async function asAdopted<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  bundle: B,
): Promise<Made<B>> {
  const isOther = (await creation.kind.matches(creation.inputs, bundle)) === false;
  return isOther ? written(creation, bundle) : { bundle, isComplete: false };
}

/**
 * A version of the program's source: the one that is there, or one more from the same source where an attribute has to
 * be cleared, or where the engine replaces this very resource.
 */
async function withSource<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  bundle: B,
  mayRenew: boolean,
): Promise<Made<B>> {
  const { kind, inputs } = creation;
  if ((await kind.matches(inputs, bundle)) === true && !isToRenew(creation, mayRenew)) {
    const cleared = attributesToChange(kind.attributes, inputs, bundle).filter(
      (attribute) => kind.attributes.clearedByVersion.includes(attribute) && inputs[attribute] === undefined,
    );
    if (cleared.length === 0) return { bundle, isComplete: false };
    await kind.repeatSource(creation.object, inputs, bundle, cleared);
  }
  return written(creation, bundle);
}

/** A generated key that the engine replaces is to be another key; material that the program gives stays the same. */
function isToRenew<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { inputs }: Creation<I, A, B>,
  isReplaced: boolean,
): boolean {
  return isReplaced && "generate" in inputs && inputs.generate !== undefined;
}

/** A run that was cut off may have made this version, and not come to disabling the one before. */
async function noteVersionBefore<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  { bundle, isComplete }: Made<B>,
): Promise<void> {
  const { inputs, object, superseded } = creation;
  if (isComplete || !disablesPrevious(inputs) || standingOf(creation, bundle.tags) !== "own") return;
  const before = await enabledVersionBefore(object, bundle.version);
  if (before !== undefined) superseded.add(before);
}

async function written<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  before: B | undefined,
): Promise<Made<B>> {
  const { kind, object, inputs, owner } = creation;
  const attributes = targetAttributes<I, A, B>(
    kind.attributes,
    inputs,
    before && kind.attributes.observed(before, inputs),
  );
  const write = () => makeVersion(kind, object, inputs, { attributes, owner, before: before?.version });
  // A name that nothing holds is the caller's to look at again; one that is ours is waited for.
  const bundle = await (before === undefined ? write() : writeOver(object, before, write));
  creation.reached = bundle;
  creation.isMade = true;
  if (before !== undefined) creation.superseded.add(before.version);
  return { bundle, isComplete: true };
}

/** Waits for a busy name that is ours, and writes no version over one that somebody else has made meanwhile. */
async function writeOver<B extends VersionBundle>(
  object: VaultObject<B>,
  before: B,
  write: () => Promise<B>,
): Promise<B> {
  let waitedFor: unknown;
  return object.deadline.whileBusy(`${object.label} to be free`, async () => {
    if (waitedFor !== undefined && (await object.current())?.version !== before.version) {
      throw new KeyVaultError(
        "KV_ALREADY_EXISTS",
        `${object.label} was to get another version, and somebody else has made one while it was busy`,
        { hint: `run \`pulumi preview --refresh\` and look at the difference`, cause: waitedFor },
      );
    }
    try {
      return await write();
    } catch (error) {
      waitedFor = error;
      throw error;
    }
  });
}

async function adoptDeleted<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
): Promise<Made<B>> {
  const { object } = creation;
  if (await object.deleted()) return recover(creation, undefined);
  throw new KeyVaultError("KV_NOT_FOUND", `adopt ${object.label} failed: there is no such ${object.kind}`, {
    hint: `check the name, or give the ${object.kind} a source of its own`,
  });
}

/** Brings back the soft-deleted object that holds the name, and makes it what the program says. */
async function recover<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  cause: unknown,
): Promise<Made<B>> {
  const { kind, inputs, object } = creation;
  creation.isFound = true;
  const bundle = await recoverObject(object, {
    ifSoftDeleted: inputs.ifSoftDeleted,
    cause,
    verify: (deleted) => {
      if (!inputs.adopt) refuseOthersDeleted(creation, deleted.tags);
      kind.verify(inputs, deleted as Partial<B>, inputs.adopt ? "adopt" : "recover");
    },
    onAgreed: (recovered) => {
      reach(creation, recovered);
      creation.isComingBack = recovered !== undefined;
    },
  });
  creation.isComingBack = false;
  // It was nobody's or ours when it was deleted: another's mark by now says that somebody else has recovered it.
  if (!inputs.adopt && isAnothers(creation, bundle.tags)) {
    reach(creation, undefined);
    throw alreadyExists(creation, bundle, "foreign");
  }
  reach(creation, bundle);
  if (inputs.adopt) return asAdopted(creation, bundle);
  if (inputs.restore !== undefined) return { bundle, isComplete: false };
  return withSource(creation, bundle, false);
}

/** What comes back is ours from now on, and recorded whatever fails; undefined where it is not ours after all. */
function reach<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  bundle: B | undefined,
): void {
  if (bundle === undefined) delete creation.reached;
  else {
    creation.reached = bundle;
    keepMark(creation, bundle, false);
  }
}

async function restore<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  digest: string,
): Promise<Made<B>> {
  const { kind, inputs, object } = creation;
  const outcome = await restoreObject(object, digest, {
    at: (name) => kind.bind(object.client, { ...inputs, name }, object.deadline),
    isOurs: (tags) => ["own", "same-stack"].includes(standingOf(creation, tags)),
  });
  if ("existing" in outcome) return takeOver(creation, outcome.existing);
  if ("deletedBefore" in outcome) return recover(creation, outcome.deletedBefore);
  const { restored } = outcome;
  creation.reached = restored;
  if (restored.name.toLowerCase() === inputs.name.toLowerCase()) return { bundle: restored, isComplete: false };
  const actual = { ...inputs, name: restored.name };
  throw new PartialFailure(
    objectId(kind.collection, actual),
    await kind.outputs(actual, restored, marksOf(creation, restored)),
    restoredUnderOtherName(kind.noun, inputs.vaultUrl, restored.name, inputs.name),
  );
}

/** Gives a taken version the program's attributes and our mark, in one request, and in none where it has both. */
async function converge<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  { bundle, isComplete }: Made<B>,
): Promise<B> {
  if (isComplete) return bundle;
  const { kind, inputs, object, owner } = creation;
  creation.reached = bundle;
  const changed = attributesToChange(kind.attributes, inputs, bundle);
  const isToStamp = shouldStamp(creation, bundle);
  const isForMarkOnly = isToStamp && changed.length === 0;
  if (isToStamp && !changed.includes("tags")) changed.push("tags");
  if (changed.length === 0) return bundle;
  const observed = kind.attributes.observed(bundle, inputs);
  const target = targetAttributes<I, A, B>(kind.attributes, inputs, observed);
  const mark = isToStamp || hasOwnerTag(bundle.tags) ? owner : undefined;
  try {
    const patched = await patchVersion(kind, object, bundle, { changed, target, owner: mark });
    creation.reached = patched;
    return patched;
  } catch (error) {
    // Whoever may only read can adopt: no other stack hears of it then.
    if (!inputs.adopt || !isForMarkOnly || !isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
    creation.isUnmarked = true;
    tell(`${object.label} is adopted without an owner tag, since it may not be changed: ${error.message}`);
    return bundle;
  }
}

/** The mark that an object has of this stack, or an empty text. */
function tokenOfStack<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { owner }: Creation<I, A, B>,
  tags: Record<string, string>,
): string {
  const found = ownerOf(tags);
  return found !== undefined && found.stack === owner?.stack ? found.token : "";
}

/** An object is marked where it is ours, an adopted one too: another stack that has it in its state then leaves it alone. */
function shouldStamp<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { inputs, owner }: Creation<I, A, B>,
  bundle: B,
): boolean {
  if (owner === undefined || bundle.tags[OWNER_TAG] === formatOwner(owner)) return false;
  // Each backup of one object is other bytes: a restored object that is marked as ours stays as it is.
  if (inputs.restore !== undefined && isOurs({ owner }, bundle.tags)) return false;
  return hasRoomForMark({ ...bundle.tags, ...inputs.tags });
}

/** Nothing else says that no other stack hears of it: the object is this one's by its state alone. */
function warnIfUnmarked<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { object, owner }: Creation<I, A, B>,
  { tags }: B,
): void {
  if (owner === undefined || hasOwnerTag(tags) || hasRoomForMark(tags)) return;
  warn(
    `${object.label} has no owner tag, since others have all ${MOST_TAGS} tags that it can have: no other stack sees that this one manages it, until a tag has gone and the next write marks it (docs/ownership.md)`,
  );
}

function marksOf<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  { kind, inputs, owner }: Creation<I, A, B>,
  bundle: B,
): ObjectMarks<A> {
  const declared = pickAttributes<A>(kind.attributes, inputs);
  const found = leavesRestToVault(inputs)
    ? undeclaredAttributes(kind.attributes, kind.attributes.observed(bundle), declared)
    : undefined;
  return {
    ...(found ? { found } : {}),
    ...(owner !== undefined && isOurs({ owner }, bundle.tags)
      ? { ownerToken: owner.token }
      : markOfAdopted(inputs, bundle.tags)),
  };
}

/** From the first change of the vault on, the object is recorded as it is, and the next `up` goes on from there. */
async function asPartialFailure<I extends ObjectInputs & A, A extends Attributes, B extends VersionBundle>(
  creation: Creation<I, A, B>,
  error: unknown,
): Promise<unknown> {
  const { kind, inputs, owner, reached, isMade = false, superseded, noted, isUnmarked = false } = creation;
  if (reached === undefined || error instanceof PartialFailure) return error;
  const there = await kind.reached(inputs, reached, isMade);
  const left = superseded.size > 0 && disablesPrevious(inputs) ? { superseded: [...superseded] } : {};
  // Ours may or may not be there by now: state knows both.
  const isDue = !isUnmarked && !isOurs({ owner }, reached.tags) && shouldStamp(creation, reached);
  const formerToken = tokenOfStack(creation, reached.tags);
  const due = owner === undefined || !isDue ? {} : { ownerToken: owner.token, formerToken };
  const awaited = creation.isComingBack ? { awaitsRecovery: true as const } : {};
  const marks = { ...marksOf(creation, reached), ...there.marks, ...left, ...due, ...noted.marks, ...awaited };
  const outs = await kind.outputs({ ...there.inputs, ...noted.inputs }, reached, marks);
  return new PartialFailure(objectId(kind.collection, inputs), outs, error);
}
