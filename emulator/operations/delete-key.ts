import { renderDeletedKeyBundle } from "../keys/key-bundle.js";
import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginDeletion, readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** The whole key, never one version. */
export const deleteKey = defineOperation({
  name: "deleteKey",
  method: "DELETE",
  routes: ["/keys/{name}"],
  permission: { collection: "keys", action: "delete", dataAction: "delete" },
  throttle: "key",
  mode: "write",
  handle: (context) => {
    const object = readable(context, "keys");
    requireOwnLifetime(object, "delete");
    const version = currentOrNamed(context, object);
    beginDeletion(context, object);
    return { status: 200, body: renderDeletedKeyBundle(context, object, version) };
  },
});
