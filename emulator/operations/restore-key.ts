import { openKeyBackup } from "../backup/backup-container.js";
import { renderKeyBundle } from "../keys/key-bundle.js";
import { nextRotation } from "../keys/rotation-policy.js";
import { standingOf } from "../object/lifecycle.js";
import { defineOperation } from "../operation.js";
import { malformedBackup, restoreConflict } from "../service-error.js";
import { record, text } from "../shape.js";
import type { StoredObject } from "../store/stored-object.js";

/** Name, version ids and attributes as they were; all or nothing, and never over something that is there. */
export const restoreKey = defineOperation({
  name: "restoreKey",
  method: "POST",
  routes: ["/keys/restore"],
  permission: { collection: "keys", action: "restore", dataAction: "restore" },
  throttle: "key",
  largeBody: true,
  mode: "write",
  body: record({ value: text() }),
  handle: (context, body) => {
    const { vault, store } = context;
    const backup = openKeyBackup(vault, body.value);
    const current = backup.versions.find((version) => version.version === backup.current);
    if (current === undefined) throw malformedBackup("Backup blob is corrupt.");
    if (standingOf(store.find(vault.name, "keys", backup.name), context.now) !== "absent") {
      throw restoreConflict("Key", `${context.origin}/keys/${backup.name}/${backup.current}`);
    }
    const object: StoredObject & { collection: "keys" } = {
      vault: vault.name,
      collection: "keys",
      name: backup.name,
      current: backup.current,
      phase: "active",
      settlesAt: 0,
      readyAt: 0,
      deletedOn: 0,
      purgeOn: 0,
      managed: false,
      rotationPolicy: backup.rotationPolicy,
      dueAt: nextRotation(backup.rotationPolicy, current.attributes),
    };
    store.save(object);
    for (const version of backup.versions) store.saveVersion(object, version);
    return { status: 200, body: renderKeyBundle(context, object, current) };
  },
});
