import { objectMarker, renderPage } from "../object/paging.js";
import { defineOperation } from "../operation.js";
import { renderSecretItem } from "../secrets/secret-bundle.js";

/** Current versions without values, in the order of upper-cased names. */
export const getSecrets = defineOperation({
  name: "getSecrets",
  method: "GET",
  routes: ["/secrets"],
  permission: { collection: "secrets", action: "list", dataAction: "readMetadata" },
  throttle: "secret",
  planes: ["vault"],
  mode: "read",
  handle: (context) => ({
    status: 200,
    body: renderPage(context, {
      fetch: (from, limit) => context.store.page(context.vault.name, "secrets", "active", context.now, from, limit),
      markerOf: (entry) => objectMarker(entry.object),
      render: (entry) => renderSecretItem(context, entry.object, entry.version, false),
      gaps: true,
    }),
  }),
});
