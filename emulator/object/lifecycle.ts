import type { Context } from "../operation.js";
import {
  alreadyActive,
  beingDeletedOnPurge,
  beingDeletedOnRecover,
  beingDeletedOnWrite,
  beingRecovered,
  deletedButRecoverable,
  deletedNotFound,
  type Noun,
  notFound,
  notFoundOnHsm,
  type ServiceError,
} from "../service-error.js";
import type { StoredCollection, StoredObject } from "../store/stored-object.js";

/** The states of `Active -> Deleting -> Deleted -> Recovering -> Active` and `Deleted -> Purging -> absent`. */
export type Standing = "absent" | "active" | "recovering" | "recovered" | "deleting" | "deleted" | "purging";

export type In<C extends StoredCollection> = StoredObject & { collection: C };

export const nounOf = (collection: StoredCollection): Noun => (collection === "keys" ? "Key" : "Secret");

/** `recovered` is the short time in which a recovered object can be read and not yet be written to. */
export function standingOf(object: StoredObject | undefined, now: number): Standing {
  if (object === undefined) return "absent";
  if (object.phase === "purged") return now < object.settlesAt ? "purging" : "absent";
  if (object.phase === "deleted") return now < object.settlesAt ? "deleting" : "deleted";
  if (now < object.settlesAt) return "recovering";
  return now < object.readyAt ? "recovered" : "active";
}

/** The 404 for a name, or for `name/version`, in the plane's words. */
export function missing(context: Context, collection: StoredCollection, id: string): ServiceError {
  if (context.vault.plane === "managedhsm") return notFoundOnHsm(`${context.origin}/${collection}/${id}`);
  return notFound(nounOf(collection), id);
}

function look<C extends StoredCollection>(
  context: Context,
  collection: C,
): { object: In<C> | undefined; standing: Standing } {
  const found = context.store.find(context.vault.name, collection, context.name);
  return { object: found as In<C> | undefined, standing: standingOf(found, context.now) };
}

/** The object, when it can be read. @throws ServiceError 404. */
export function readable<C extends StoredCollection>(context: Context, collection: C): In<C> {
  const { object, standing } = look(context, collection);
  if (object !== undefined && (standing === "active" || standing === "recovered")) return object;
  const { name, version } = context;
  throw missing(context, collection, version === undefined ? name : `${name}/${version}`);
}

/** The object whose versions can be listed, or nothing. */
export function listable<C extends StoredCollection>(context: Context, collection: C): In<C> | undefined {
  const { object, standing } = look(context, collection);
  return standing === "active" || standing === "recovered" ? object : undefined;
}

/** The object that a new version goes to, or nothing when the name is free. @throws ServiceError 409. */
export function writable<C extends StoredCollection>(context: Context, collection: C): In<C> | undefined {
  const { object, standing } = look(context, collection);
  const noun = nounOf(collection);
  switch (standing) {
    case "deleting":
      throw beingDeletedOnWrite(noun, context.name);
    case "deleted":
      throw deletedButRecoverable(noun, context.name);
    case "recovering":
    case "recovered":
      throw beingRecovered(noun, context.name);
    case "active":
      return object;
    default:
      return undefined;
  }
}

/** The deleted object, once its deletion is done. @throws ServiceError 404. */
export function deletedObject<C extends StoredCollection>(context: Context, collection: C): In<C> {
  const { object, standing } = look(context, collection);
  if (object !== undefined && standing === "deleted") return object;
  throw deletedNotFound(nounOf(collection), context.name);
}

/** The deleted object to be recovered. @throws ServiceError 404, 409 or 400 when it never went away. */
export function recoverable<C extends StoredCollection>(context: Context, collection: C): In<C> {
  const { object, standing } = look(context, collection);
  const noun = nounOf(collection);
  if (object !== undefined && standing === "deleted") return object;
  if (standing === "deleting") throw beingDeletedOnRecover(noun, context.name);
  if (standing === "recovering" || standing === "recovered") throw beingRecovered(noun, context.name);
  if (standing === "active") throw alreadyActive(noun, context.name);
  throw missing(context, collection, context.name);
}

/** The deleted object to be purged. @throws ServiceError 404 or 409. */
export function purgeable<C extends StoredCollection>(context: Context, collection: C): In<C> {
  const { object, standing } = look(context, collection);
  const noun = nounOf(collection);
  if (object !== undefined && standing === "deleted") return object;
  if (standing === "deleting") throw beingDeletedOnPurge(noun);
  if (standing === "recovering" || standing === "recovered") throw beingRecovered(noun, context.name);
  throw missing(context, collection, context.name);
}

/** Starts the deletion. Without soft delete the object is gone at once. */
export function beginDeletion(context: Context, object: StoredObject): void {
  const { vault, store, now, seconds } = context;
  if (!vault.softDelete) {
    store.remove(object);
    return;
  }
  object.phase = "deleted";
  object.settlesAt = now + vault.timing.deleting(object.collection);
  object.readyAt = 0;
  object.deletedOn = seconds;
  object.purgeOn = seconds + vault.retentionDays * 86_400;
  object.dueAt = object.purgeOn * 1000;
  store.save(object);
}

/** Starts the recovery; every version comes back as it was. */
export function beginRecovery(context: Context, object: StoredObject, dueAt: number | undefined): void {
  const { vault, store, now } = context;
  object.phase = "active";
  object.settlesAt = now + vault.timing.recovering(object.collection);
  object.readyAt = object.settlesAt + vault.timing.recoveringWrites(object.collection);
  object.deletedOn = 0;
  object.purgeOn = 0;
  object.dueAt = dueAt;
  store.save(object);
}

/** Forgets the object; its name stays taken for restores until the purge has settled. */
export function beginPurge(context: Context, object: StoredObject): void {
  const { vault, store, now } = context;
  const settlesAt = now + vault.timing.purging(object.collection);
  if (settlesAt <= now) {
    store.remove(object);
    return;
  }
  store.removeVersions(object);
  object.phase = "purged";
  object.settlesAt = settlesAt;
  object.rotationPolicy = undefined;
  object.dueAt = settlesAt;
  store.save(object);
}
