import { renderKeyBundle } from "../keys/key-bundle.js";
import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** The current version, or the one asked for. Disabled and expired keys can be read. */
export const getKey = defineOperation({
  name: "getKey",
  method: "GET",
  routes: ["/keys/{name}", "/keys/{name}/{version}"],
  permission: { collection: "keys", action: "get", dataAction: "read" },
  throttle: "key",
  mode: "read",
  handle: (context) => {
    const object = readable(context, "keys");
    return { status: 200, body: renderKeyBundle(context, object, currentOrNamed(context, object)) };
  },
});
