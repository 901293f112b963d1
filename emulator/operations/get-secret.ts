import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";
import { requireStoredFormat } from "../secrets/content-transformation.js";
import { renderSecretBundle } from "../secrets/secret-bundle.js";
import { forbidden } from "../service-error.js";

/** With its value. A disabled version cannot be read; an expired one can. */
export const getSecret = defineOperation({
  name: "getSecret",
  method: "GET",
  routes: ["/secrets/{name}", "/secrets/{name}/{version}"],
  permission: { collection: "secrets", action: "get", dataAction: "getSecret" },
  throttle: "secret",
  planes: ["vault"],
  mode: "read",
  handle: (context) => {
    const object = readable(context, "secrets");
    const version = currentOrNamed(context, object);
    if (!version.attributes.enabled) {
      throw forbidden("Operation get is not allowed on a disabled secret.", "SecretDisabled");
    }
    requireStoredFormat(context, object, version);
    return { status: 200, body: renderSecretBundle(context, object, version) };
  },
});
