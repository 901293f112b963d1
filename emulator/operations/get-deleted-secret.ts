import { deletedObject } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";
import { renderDeletedSecretBundle } from "../secrets/secret-bundle.js";
import { forbidden } from "../service-error.js";

/** Without its value. A disabled secret answers 403 where others answer 200. */
export const getDeletedSecret = defineOperation({
  name: "getDeletedSecret",
  method: "GET",
  routes: ["/deletedsecrets/{name}"],
  permission: { collection: "secrets", action: "get", dataAction: "readMetadata" },
  throttle: "secret",
  planes: ["vault"],
  mode: "read",
  handle: (context) => {
    const object = deletedObject(context, "secrets");
    const version = currentOrNamed(context, object);
    if (!version.attributes.enabled) throw forbidden("Operation get is not permitted on this object.", "AccessDenied");
    return { status: 200, body: renderDeletedSecretBundle(context, object, version) };
  },
});
