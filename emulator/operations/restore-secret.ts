import { openSecretBackup } from "../backup/backup-container.js";
import { standingOf } from "../object/lifecycle.js";
import { defineOperation } from "../operation.js";
import { renderSecretWithoutValue } from "../secrets/secret-bundle.js";
import { malformedBackup, restoreConflict } from "../service-error.js";
import { record, text } from "../shape.js";
import type { StoredObject } from "../store/stored-object.js";

/** Name, version ids and attributes as they were; all or nothing, and never over something that is there. */
export const restoreSecret = defineOperation({
  name: "restoreSecret",
  method: "POST",
  routes: ["/secrets/restore"],
  permission: { collection: "secrets", action: "restore", dataAction: "restore" },
  throttle: "secret",
  planes: ["vault"],
  largeBody: true,
  mode: "write",
  body: record({ value: text() }),
  handle: (context, body) => {
    const { vault, store } = context;
    const backup = openSecretBackup(vault, body.value);
    const current = backup.versions.find((version) => version.version === backup.current);
    if (current === undefined) throw malformedBackup("Backup blob is corrupt.");
    if (standingOf(store.find(vault.name, "secrets", backup.name), context.now) !== "absent") {
      throw restoreConflict("Secret", `${context.origin}/secrets/${backup.name}/${backup.current}`);
    }
    const object: StoredObject & { collection: "secrets" } = {
      vault: vault.name,
      collection: "secrets",
      name: backup.name,
      current: backup.current,
      phase: "active",
      settlesAt: 0,
      readyAt: 0,
      deletedOn: 0,
      purgeOn: 0,
      managed: false,
      rotationPolicy: undefined,
      dueAt: undefined,
    };
    store.save(object);
    for (const version of backup.versions) store.saveVersion(object, version);
    return { status: 200, body: renderSecretWithoutValue(context, object, current) };
  },
});
