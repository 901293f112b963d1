import { listable } from "../object/lifecycle.js";
import { renderPage, versionMarker } from "../object/paging.js";
import { defineOperation } from "../operation.js";
import { renderSecretItem } from "../secrets/secret-bundle.js";

/** Every version, in the order of the ids: not of time. A name that is not there has none. */
export const getSecretVersions = defineOperation({
  name: "getSecretVersions",
  method: "GET",
  routes: ["/secrets/{name}/versions"],
  permission: { collection: "secrets", action: "list", dataAction: "readMetadata" },
  throttle: "secret",
  planes: ["vault"],
  mode: "snapshot",
  handle: (context) => {
    const object = listable(context, "secrets");
    const page = renderPage(context, {
      fetch: (from, limit) => (object === undefined ? [] : context.store.versions(object, from, limit)),
      markerOf: (version) => versionMarker("secrets", context.name, version.version),
      render: (version) => (object === undefined ? {} : renderSecretItem(context, object, version, true)),
      gaps: false,
    });
    return { status: 200, body: page };
  },
});
