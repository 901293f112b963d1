import { renderDeletedKeyItem } from "../keys/key-bundle.js";
import { objectMarker, renderPage } from "../object/paging.js";
import { defineOperation } from "../operation.js";

/** Keys whose deletion is done and that can still be recovered or purged. */
export const getDeletedKeys = defineOperation({
  name: "getDeletedKeys",
  method: "GET",
  routes: ["/deletedkeys"],
  permission: { collection: "keys", action: "list", dataAction: "read" },
  throttle: "key",
  mode: "read",
  handle: (context) => ({
    status: 200,
    body: renderPage(context, {
      fetch: (from, limit) => context.store.page(context.vault.name, "keys", "deleted", context.now, from, limit),
      markerOf: (entry) => objectMarker(entry.object),
      render: (entry) => renderDeletedKeyItem(context, entry.object, entry.version),
      gaps: true,
    }),
  }),
});
