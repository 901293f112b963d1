import { objectMarker, renderPage } from "../object/paging.js";
import { defineOperation } from "../operation.js";
import { renderDeletedSecretItem } from "../secrets/secret-bundle.js";

/** Secrets whose deletion is done and that can still be recovered or purged. */
export const getDeletedSecrets = defineOperation({
  name: "getDeletedSecrets",
  method: "GET",
  routes: ["/deletedsecrets"],
  permission: { collection: "secrets", action: "list", dataAction: "readMetadata" },
  throttle: "secret",
  planes: ["vault"],
  mode: "read",
  handle: (context) => ({
    status: 200,
    body: renderPage(context, {
      fetch: (from, limit) => context.store.page(context.vault.name, "secrets", "deleted", context.now, from, limit),
      markerOf: (entry) => objectMarker(entry.object),
      render: (entry) => renderDeletedSecretItem(context, entry.object, entry.version),
      gaps: true,
    }),
  }),
});
