import { since } from "../api-version.js";
import { renderAttestedKeyBundle, renderKeyBundle } from "../keys/key-bundle.js";
import { missing, readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** A key with the form of an attestation: no hardware stands behind it, and nothing can be proved with it. */
export const getKeyAttestation = defineOperation({
  name: "getKeyAttestation",
  method: "GET",
  routes: ["/keys/{name}/attestation", "/keys/{name}/{version}/attestation"],
  permission: { collection: "keys", action: "get", dataAction: "read" },
  throttle: "key",
  mode: "read",
  handle: (context) => {
    const object = readable(context, "keys");
    // Before there were attestations, the word was a version that no key has.
    if (context.apiVersion < since.attestation) throw missing(context, "keys", `${context.name}/attestation`);
    const version = currentOrNamed(context, object);
    const render = version.key.kty.endsWith("-HSM") ? renderAttestedKeyBundle : renderKeyBundle;
    return { status: 200, body: render(context, object, version) };
  },
});
