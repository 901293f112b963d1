import { renderKeyItem } from "../keys/key-bundle.js";
import { listable } from "../object/lifecycle.js";
import { renderPage, versionMarker } from "../object/paging.js";
import { defineOperation } from "../operation.js";

/** Every version, in the order of the ids: not of time. A name that is not there has none. */
export const getKeyVersions = defineOperation({
  name: "getKeyVersions",
  method: "GET",
  routes: ["/keys/{name}/versions"],
  permission: { collection: "keys", action: "list", dataAction: "read" },
  throttle: "key",
  mode: "snapshot",
  handle: (context) => {
    const object = listable(context, "keys");
    const page = renderPage(context, {
      fetch: (from, limit) => (object === undefined ? [] : context.store.versions(object, from, limit)),
      markerOf: (version) => versionMarker("keys", context.name, version.version),
      render: (version) => (object === undefined ? {} : renderKeyItem(context, object, version, true)),
      gaps: false,
    });
    return { status: 200, body: page };
  },
});
