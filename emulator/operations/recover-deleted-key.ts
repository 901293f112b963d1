import { renderKeyBundle } from "../keys/key-bundle.js";
import { nextRotation } from "../keys/rotation-policy.js";
import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginRecovery, recoverable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** Answers the key at once; it can be read, and a little later written to, when the recovery is done. */
export const recoverDeletedKey = defineOperation({
  name: "recoverDeletedKey",
  method: "POST",
  routes: ["/deletedkeys/{name}/recover"],
  permission: { collection: "keys", action: "recover", dataAction: "recover" },
  throttle: "key",
  mode: "write",
  handle: (context) => {
    const object = recoverable(context, "keys");
    requireOwnLifetime(object, "recover");
    const version = currentOrNamed(context, object);
    beginRecovery(context, object, nextRotation(object.rotationPolicy, version.attributes));
    return { status: 200, body: renderKeyBundle(context, object, version) };
  },
});
