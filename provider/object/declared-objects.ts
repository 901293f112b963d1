import type { Properties } from "../engine/lifecycle.js";
import { runClock } from "../engine/run-clock.js";
import { type OtherHolder, runDeclarations } from "../engine/run-declarations.js";
import { vaultSettings } from "../engine/vault-settings.js";
import type { ObjectAddress } from "../vault/object-address.js";
import { objectIdentity } from "../vault/object-identity.js";
import { hasOwnerTag, type Owner, ownerOf, ownerToken } from "./owner-tag.js";

/**
 * What `check` has seen the running program declare, and what `delete` has let go since. One process serves one run of
 * the engine, so this is the run's knowledge, and none of it outlasts it.
 */
interface Declaration {
  /** A token of the resource instance; one resource may be checked several times in a run. */
  claimant: string;
  /** As the SDK tells it; undefined for programs of an older SDK and where `keyvault:ownerTag` is off. */
  identity?: ResourceIdentity;
  /** It is another provider's, of the other door or of an explicit instance; or this run leaves it out. */
  isElsewhere?: "another-provider" | "left-out";
}

export interface ResourceIdentity {
  project: string;
  stack: string;
  urn: string;
}

type Kind = "key" | "secret";

/** What the run knows of one object. */
interface ObjectOfRun {
  declaration?: Declaration;
  /** Let go by a resource of this stack, which knew it by this mark. */
  released?: { token: string | undefined };
  /** The mark that state knew it by, until a refresh of this run has taken it out of state. */
  goneToken?: string;
  /** A refresh of this run has found it without a mark, and state records it. */
  isUnmarked?: boolean;
  /** Whose mark state knows it by. */
  recordedToken?: string;
  isRecorded?: boolean;
  /** It stands in the inputs of a resource of many, and state has not been seen to have a record of it. */
  isUnproven?: boolean;
  /** The object that its resource has from now on. */
  next?: string;
  isCreated?: boolean;
  /** Its declared resource could not have it. */
  isRefused?: boolean;
  /** A refresh of this run has compared its mark with the recorded one. */
  isMarkSeen?: boolean;
}

const objects = new Map<string, ObjectOfRun>();
/** Where each resource is by its last word: the engine checks one that it replaces again, without what state records. */
const places = new Map<string, string>();
let declaredOn = Number.NEGATIVE_INFINITY;

function objectOf(kind: Kind, address: ObjectAddress): ObjectOfRun {
  return ofRun(objectIdentity(kind, address));
}

function ofRun(identity: string): ObjectOfRun {
  const known = objects.get(identity);
  if (known !== undefined) return known;
  const object: ObjectOfRun = {};
  objects.set(identity, object);
  return object;
}

/**
 * Records that a resource of the program manages an object, for the other providers of the run too.
 *
 * @returns the other resource that already does, where there is one: two on one name would overwrite each other for
 * ever, each seeing the other's work as drift.
 */
export function declareObject(kind: Kind, address: ObjectAddress, declaration: Declaration): Declaration | undefined {
  const object = objectIdentity(kind, address);
  const held = ofRun(object);
  const holder = held.declaration;
  if (holder !== undefined && holder.claimant !== declaration.claimant) return holder;
  const { claimant, identity } = declaration;
  const elsewhere = identity === undefined ? undefined : runDeclarations()?.declare(object, identity.urn);
  if (elsewhere !== undefined) return heldElsewhere({ urn: elsewhere, isLeftOut: false });
  const place = places.get(`${kind} ${claimant}`);
  if (place !== undefined && place !== object) {
    delete ofRun(place).declaration;
    if (identity !== undefined) runDeclarations()?.withdraw(place, identity.urn);
  }
  places.set(`${kind} ${claimant}`, object);
  held.declaration = declaration;
  declaredOn = runClock.now();
  return undefined;
}

/** When the running program has last declared an object. */
export function lastDeclarationOn(): number {
  return declaredOn;
}

/**
 * The resource of this run that declares an object, through whichever provider, or in the program alone where the run
 * leaves it out. The object is never deleted, whatever goes.
 */
export function declarationOf(kind: Kind, address: ObjectAddress): Declaration | undefined {
  const object = objectIdentity(kind, address);
  const own = ofRun(object).declaration;
  if (own !== undefined) return own;
  const elsewhere = runDeclarations()?.holderOf(object);
  return elsewhere === undefined ? undefined : heldElsewhere(elsewhere);
}

function heldElsewhere({ urn, isLeftOut }: OtherHolder): Declaration {
  const [root = "", project = ""] = urn.split("::");
  return {
    claimant: urn,
    identity: { project, stack: root.slice(root.lastIndexOf(":") + 1), urn },
    isElsewhere: isLeftOut ? "left-out" : "another-provider",
  };
}

/**
 * Notes that this stack had an object until now and gives it to the resource that declares it: the engine replaces a
 * resource under its own name, or one resource takes the place of another.
 */
export function releaseObject(kind: Kind, address: ObjectAddress, ownerToken: string | undefined): void {
  objectOf(kind, address).released = { token: ownerToken };
}

/**
 * Whether a resource of this very stack held the object until this run let it go, and it still is what was let go: an
 * object that carries another mark is somebody else's by now.
 */
export function wasReleased(kind: Kind, address: ObjectAddress, tags: Record<string, string>): boolean {
  const { released } = objectOf(kind, address);
  if (released === undefined) return false;
  return !hasOwnerTag(tags) || ownerOf(tags)?.token === released.token;
}

/** Notes that a refresh has found an object soft-deleted that this stack had: state knows nothing of it from now on. */
export function noteGone(kind: Kind, address: ObjectAddress, ownerToken: string): void {
  objectOf(kind, address).goneToken = ownerToken;
}

/** Whether state had an object until a refresh of this run, and it still carries the mark of that, of whatever stack's name. */
export function wasGone(kind: Kind, address: ObjectAddress, tags: Record<string, string>): boolean {
  const { goneToken } = objectOf(kind, address);
  return goneToken !== undefined && ownerOf(tags)?.token === goneToken;
}

/** Notes that a refresh has found an object that state records without anybody's mark. */
export function noteUnmarked(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isUnmarked = true;
}

/** Whether state has an object, as a refresh of this run has seen: `--replace` and a rename show their creation nothing of it. */
export function wasSeenUnmarked(kind: Kind, address: ObjectAddress): boolean {
  return objectOf(kind, address).isUnmarked === true;
}

/** Notes that a resource leaves the object that state knows for another one. */
export function noteLeft(kind: Kind, left: ObjectAddress, next: ObjectAddress): void {
  objectOf(kind, left).next = objectIdentity(kind, next);
}

export function noteCreation(kind: Kind, address: ObjectAddress): void {
  Object.assign(objectOf(kind, address), { isCreated: true, isRefused: false });
}

/** Notes that the creation that was to have an object has failed with nothing of it to record. */
export function noteRefusedCreation(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isRefused = true;
}

/** Whether state will have an object under no other resource, since the one that declares it could not have it. */
export function wasCreationRefused(kind: Kind, address: ObjectAddress): boolean {
  return objectOf(kind, address).isRefused === true;
}

/**
 * Whether an object is deleted before its resource has the next one (`deleteBeforeReplace`): the engine has not shown all
 * of the program by then, and another resource may go on with the object.
 */
export function isLeftEarly(kind: Kind, address: ObjectAddress): boolean {
  const { next } = objectOf(kind, address);
  return next !== undefined && ofRun(next).isCreated !== true;
}

/** Notes that a refresh of this run has compared the mark of an object with the recorded one. */
export function noteSeenMark(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isMarkSeen = true;
}

/** Whether state knows, from this very run, who has marked an object. */
export function wasMarkSeen(kind: Kind, address: ObjectAddress): boolean {
  return objectOf(kind, address).isMarkSeen === true;
}

/** Notes that the resource that declares an object has it in state already. */
export function noteRecorded(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isRecorded = true;
}

/** Notes that state has no object where a resource of many has it in its inputs: an earlier run failed to make it. */
export function noteUnrecorded(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isRecorded = false;
}

/** Notes that an object stands in the recorded inputs of a resource of many, where one stands too that could not be made. */
export function noteUnproven(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isUnproven ??= true;
}

/** Notes that a resource of many has an object in its record, and not in its inputs alone. */
export function noteProven(kind: Kind, address: ObjectAddress): void {
  objectOf(kind, address).isUnproven = false;
}

/** As {@link isRecorded}, where nothing but state says so: an object without a mark may be anybody's. */
export function isProvenByState(kind: Kind, address: ObjectAddress): boolean {
  const { isRecorded, isUnproven } = objectOf(kind, address);
  return isRecorded === true && isUnproven !== true;
}

/** Whether a create is one that replaces a resource under its own name. */
export function isRecorded(kind: Kind, address: ObjectAddress): boolean {
  return objectOf(kind, address).isRecorded === true;
}

/** Notes the mark by which the resource that declares an object knows it in state. */
export function noteRecordedToken(kind: Kind, address: ObjectAddress, token: string): void {
  objectOf(kind, address).recordedToken = token;
}

/**
 * The mark by which state knows an object that the program declares, where it does: undefined for a resource that is
 * only being created.
 */
export function recordedMark(kind: Kind, address: ObjectAddress): Owner | undefined {
  const { recordedToken } = objectOf(kind, address);
  return recordedToken === undefined ? undefined : ownerInThisRun(kind, address, recordedToken);
}

/** Whether the engine has declared a resource that has an object in state, and not shown yet by which mark. */
export function awaitsRecordedMark(kind: Kind, address: ObjectAddress): boolean {
  const { isRecorded, recordedToken } = objectOf(kind, address);
  return isRecorded === true && recordedToken === undefined;
}

/** The mark that writes of this run put on an object; undefined where owner tags are off or the program tells no identity. */
export function ownerInThisRun(kind: Kind, address: ObjectAddress, recordedToken?: string): Owner | undefined {
  const identity = objectOf(kind, address).declaration?.identity;
  if (identity === undefined || !vaultSettings().ownerTag) return undefined;
  return {
    stack: `${identity.project}/${identity.stack}`,
    token: recordedToken ?? ownerToken(identity.urn),
  };
}

/** The identity that the SDK hands to `check` as `owner`. */
export function identityOf(news: Properties): ResourceIdentity | undefined {
  const { owner } = news;
  if (owner === null || typeof owner !== "object") return undefined;
  const { project, stack, urn } = owner as Partial<Record<keyof ResourceIdentity, unknown>>;
  if (typeof project !== "string" || typeof stack !== "string" || typeof urn !== "string") return undefined;
  return { project, stack, urn };
}

const WHERE = { "another-provider": " of another provider", "left-out": ", which this run leaves out" };

/** `Key "orders"`, by which a message names a resource. */
export function describeResource({ identity, isElsewhere }: Declaration): string {
  const [type = "", name = ""] = identity?.urn.split("::").slice(2) ?? [];
  const where = isElsewhere === undefined ? "" : WHERE[isElsewhere];
  return identity === undefined ? "another resource" : `${type.split(":").at(-1)} "${name}"${where}`;
}

/** For tests that take several runs through one process. @internal */
export function forgetDeclaredObjects(): void {
  objects.clear();
  places.clear();
  declaredOn = Number.NEGATIVE_INFINITY;
}
