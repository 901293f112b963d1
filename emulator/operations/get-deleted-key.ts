import { renderDeletedKeyBundle } from "../keys/key-bundle.js";
import { deletedObject } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** Not there until the deletion is done. */
export const getDeletedKey = defineOperation({
  name: "getDeletedKey",
  method: "GET",
  routes: ["/deletedkeys/{name}"],
  permission: { collection: "keys", action: "get", dataAction: "read" },
  throttle: "key",
  mode: "read",
  handle: (context) => {
    const object = deletedObject(context, "keys");
    return { status: 200, body: renderDeletedKeyBundle(context, object, currentOrNamed(context, object)) };
  },
});
