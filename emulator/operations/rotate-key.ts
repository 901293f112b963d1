import { addRotation, specificationOfVersion } from "../clock/clock-work.js";
import { generateKey } from "../keys/generate-key.js";
import { renderKeyBundle } from "../keys/key-bundle.js";
import { missing, readable, writable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** A new version of the same kind, now; its expiry comes from the rotation policy. */
export const rotateKey = defineOperation({
  name: "rotateKey",
  method: "POST",
  routes: ["/keys/{name}/rotate"],
  permission: { collection: "keys", action: "rotate", dataAction: "rotate" },
  throttle: "keyCreate",
  mode: "write",
  prepare: (context) => {
    const current = context.store.transaction("read", () => currentOrNamed(context, readable(context, "keys")));
    return generateKey(specificationOfVersion(current));
  },
  handle: (context, _body, pair) => {
    readable(context, "keys");
    const object = writable(context, "keys");
    if (object === undefined) throw missing(context, "keys", context.name);
    const version = addRotation(context.store, object, currentOrNamed(context, object), context.seconds, pair);
    return { status: 200, body: renderKeyBundle(context, object, version) };
  },
});
