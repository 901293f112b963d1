import { requireOwnLifetime } from "../object/certificate-object.js";
import { beginRecovery, recoverable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";
import { renderSecretWithoutValue } from "../secrets/secret-bundle.js";

/** Answers the secret without its value at once; it can be read, and a little later written to, when the recovery is done. */
export const recoverDeletedSecret = defineOperation({
  name: "recoverDeletedSecret",
  method: "POST",
  routes: ["/deletedsecrets/{name}/recover"],
  permission: { collection: "secrets", action: "recover", dataAction: "recover" },
  throttle: "secret",
  planes: ["vault"],
  mode: "write",
  handle: (context) => {
    const object = recoverable(context, "secrets");
    requireOwnLifetime(object, "recover");
    const version = currentOrNamed(context, object);
    beginRecovery(context, object, undefined);
    return { status: 200, body: renderSecretWithoutValue(context, object, version) };
  },
});
