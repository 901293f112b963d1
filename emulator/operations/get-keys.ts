import { renderKeyItem } from "../keys/key-bundle.js";
import { objectMarker, renderPage } from "../object/paging.js";
import { defineOperation } from "../operation.js";

/** Current versions in the order of upper-cased names. */
export const getKeys = defineOperation({
  name: "getKeys",
  method: "GET",
  routes: ["/keys"],
  permission: { collection: "keys", action: "list", dataAction: "read" },
  throttle: "key",
  mode: "read",
  handle: (context) => ({
    status: 200,
    body: renderPage(context, {
      fetch: (from, limit) => context.store.page(context.vault.name, "keys", "active", context.now, from, limit),
      markerOf: (entry) => objectMarker(entry.object),
      render: (entry) => renderKeyItem(context, entry.object, entry.version, false),
      gaps: true,
    }),
  }),
});
