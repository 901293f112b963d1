import { writable } from "../object/lifecycle.js";
import { addVersion, attributesRules, newAttributes, newVersionId } from "../object/new-version.js";
import { defineOperation } from "../operation.js";
import { renderSecretBundle } from "../secrets/secret-bundle.js";
import { secretValue } from "../secrets/secret-value.js";
import { optional, record, tagMap, text } from "../shape.js";
import type { StoredSecretVersion } from "../store/stored-object.js";

/** A new secret, or a new version that inherits nothing. */
export const setSecret = defineOperation({
  name: "setSecret",
  method: "PUT",
  routes: ["/secrets/{name}"],
  permission: { collection: "secrets", action: "set", dataAction: "setSecret" },
  throttle: "secretCreate",
  planes: ["vault"],
  mode: "write",
  body: record({
    value: secretValue(),
    contentType: optional(text(255)),
    attributes: optional(attributesRules),
    tags: optional(tagMap(512)),
  }),
  handle: (context, body) => {
    const version: StoredSecretVersion = {
      version: newVersionId(),
      attributes: newAttributes(context.seconds, body.attributes),
      value: body.value,
      ...(body.contentType === undefined ? {} : { contentType: body.contentType }),
      ...(body.tags === undefined ? {} : { tags: body.tags }),
    };
    const object = addVersion(context, "secrets", writable(context, "secrets"), version);
    return { status: 200, body: renderSecretBundle(context, object, version) };
  },
});
