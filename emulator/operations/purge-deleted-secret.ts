import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginPurge, purgeable } from "../object/lifecycle.js";
import { requirePurgeAllowed } from "../object/purge-protection.js";
import { defineOperation } from "../operation.js";

/** For good. Restores of the name wait until the purge has settled. */
export const purgeDeletedSecret = defineOperation({
  name: "purgeDeletedSecret",
  method: "DELETE",
  routes: ["/deletedsecrets/{name}"],
  permission: { collection: "secrets", action: "purge", dataAction: "purge" },
  throttle: "secret",
  planes: ["vault"],
  mode: "write",
  handle: (context) => {
    requirePurgeAllowed(context.vault);
    const object = purgeable(context, "secrets");
    requireOwnLifetime(object, "purge");
    beginPurge(context, object);
    return { status: 204 };
  },
});
