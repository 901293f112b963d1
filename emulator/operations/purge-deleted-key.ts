import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginPurge, purgeable } from "../object/lifecycle.js";
import { requirePurgeAllowed } from "../object/purge-protection.js";
import { defineOperation } from "../operation.js";

/** For good. Restores of the name wait until the purge has settled. */
export const purgeDeletedKey = defineOperation({
  name: "purgeDeletedKey",
  method: "DELETE",
  routes: ["/deletedkeys/{name}"],
  permission: { collection: "keys", action: "purge", dataAction: "purge" },
  throttle: "key",
  mode: "write",
  handle: (context) => {
    requirePurgeAllowed(context.vault);
    const object = purgeable(context, "keys");
    requireOwnLifetime(object, "purge");
    beginPurge(context, object);
    return { status: 204 };
  },
});
