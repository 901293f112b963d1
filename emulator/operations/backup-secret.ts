import { sealBackup } from "../backup/backup-container.js";
import { readable } from "../object/lifecycle.js";
import { defineOperation } from "../operation.js";
import { badParameter } from "../service-error.js";

const mostVersions = 500;

/** All versions with their values, sealed. */
export const backupSecret = defineOperation({
  name: "backupSecret",
  method: "POST",
  routes: ["/secrets/{name}/backup"],
  permission: { collection: "secrets", action: "backup", dataAction: "backup" },
  throttle: "secret",
  planes: ["vault"],
  mode: "snapshot",
  handle: (context) => {
    const object = readable(context, "secrets");
    const versions = context.store.versions(object, "", mostVersions + 1);
    if (versions.length > mostVersions) throw badParameter("Secret backup is limited to 500 past versions.");
    const content = { name: object.name, current: object.current, versions };
    return { status: 200, body: { value: sealBackup(context.vault, "secrets", content) } };
  },
});
