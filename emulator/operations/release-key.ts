import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";
import { forbidden } from "../service-error.js";
import { optional, record, text } from "../shape.js";

/** Refused: the emulator trusts no attestation, as the service trusts none that it cannot verify. */
export const releaseKey = defineOperation({
  name: "releaseKey",
  method: "POST",
  routes: ["/keys/{name}/{version}/release", "/keys/{name}/release"],
  permission: { collection: "keys", action: "release", dataAction: "release" },
  throttle: "keyCreate",
  mode: "read",
  body: record({ target: text(), nonce: optional(text()), enc: optional(text(64)) }),
  handle: (context) => {
    currentOrNamed(context, readable(context, "keys"));
    throw forbidden("Target environment attestation statement cannot be verified.", "AccessDenied");
  },
});
