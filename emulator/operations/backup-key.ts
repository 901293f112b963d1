import { sealBackup } from "../backup/backup-container.js";
import { readable } from "../object/lifecycle.js";
import { defineOperation } from "../operation.js";
import { badParameter } from "../service-error.js";

const mostVersions = 500;

/** All versions, attributes and the rotation policy, sealed. */
export const backupKey = defineOperation({
  name: "backupKey",
  method: "POST",
  routes: ["/keys/{name}/backup"],
  permission: { collection: "keys", action: "backup", dataAction: "backup" },
  throttle: "key",
  mode: "snapshot",
  handle: (context) => {
    const object = readable(context, "keys");
    const versions = context.store.versions(object, "", mostVersions + 1);
    if (versions.length > mostVersions) throw badParameter("Key backup is limited to 500 past versions.");
    const { name, current, rotationPolicy } = object;
    const content = { name, current, versions, ...(rotationPolicy === undefined ? {} : { rotationPolicy }) };
    return { status: 200, body: { value: sealBackup(context.vault, "keys", content) } };
  },
});
