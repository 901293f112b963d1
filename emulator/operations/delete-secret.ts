import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginDeletion, readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";
import { renderDeletedSecretBundle } from "../secrets/secret-bundle.js";

/** The whole secret; a certificate's secret goes with its certificate only. */
export const deleteSecret = defineOperation({
  name: "deleteSecret",
  method: "DELETE",
  routes: ["/secrets/{name}"],
  permission: { collection: "secrets", action: "delete", dataAction: "delete" },
  throttle: "secret",
  planes: ["vault"],
  mode: "write",
  handle: (context) => {
    const object = readable(context, "secrets");
    requireOwnLifetime(object, "delete");
    const version = currentOrNamed(context, object);
    beginDeletion(context, object);
    return { status: 200, body: renderDeletedSecretBundle(context, object, version) };
  },
});
