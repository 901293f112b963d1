import { randomUUID } from "node:crypto";
import { nextRotation } from "../keys/rotation-policy.js";
import type { Context } from "../operation.js";
import { flag, instant, optional, record, type ShapeOf } from "../shape.js";
import type {
  StoredAttributes,
  StoredCollection,
  StoredKeyVersion,
  StoredSecretVersion,
} from "../store/stored-object.js";
import type { In } from "./lifecycle.js";

/** `attributes` as they are sent; what the service sets itself is ignored. */
export const attributesRules = record({
  enabled: optional(flag()),
  nbf: optional(instant()),
  exp: optional(instant()),
  exportable: optional(flag()),
});
export type AttributesInput = ShapeOf<typeof attributesRules>;

export const newVersionId = () => randomUUID().replaceAll("-", "");

/** Attributes of a new version: nothing is inherited from the one before. */
export function newAttributes(seconds: number, given: AttributesInput | undefined): StoredAttributes {
  return { ...given, enabled: given?.enabled ?? true, created: seconds, updated: seconds };
}

/** Writes the version and makes it current. */
export function addVersion<C extends StoredCollection>(
  context: Context,
  collection: C,
  object: In<C> | undefined,
  version: C extends "keys" ? StoredKeyVersion : StoredSecretVersion,
): In<C> {
  const target: In<C> = object ?? {
    vault: context.vault.name,
    collection,
    name: context.name,
    current: version.version,
    phase: "active",
    settlesAt: 0,
    readyAt: 0,
    deletedOn: 0,
    purgeOn: 0,
    managed: false,
    rotationPolicy: undefined,
    dueAt: undefined,
  };
  target.current = version.version;
  target.dueAt = nextRotation(target.rotationPolicy, version.attributes);
  context.store.save(target);
  context.store.saveVersion(target, version as never);
  return target;
}

/** The attributes after an update. What is not sent stays, and nothing that is there can be taken away. */
export function updatedAttributes(
  seconds: number,
  old: StoredAttributes,
  given: AttributesInput | undefined,
  touched: boolean,
): StoredAttributes {
  const changed = { ...old, ...given };
  delete changed.exportable;
  if (old.exportable !== undefined) changed.exportable = old.exportable;
  return touched ? { ...changed, updated: seconds } : changed;
}
