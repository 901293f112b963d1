import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { attributesRules, updatedAttributes } from "../object/new-version.js";
import { defineOperation } from "../operation.js";
import { renderSecretWithoutValue } from "../secrets/secret-bundle.js";
import { optional, record, tagMap, text } from "../shape.js";
import type { StoredSecretVersion } from "../store/stored-object.js";

/** Everything but the value. */
export const updateSecret = defineOperation({
  name: "updateSecret",
  method: "PATCH",
  routes: ["/secrets/{name}", "/secrets/{name}/{version}"],
  permission: { collection: "secrets", action: "set", dataAction: "update" },
  throttle: "secret",
  planes: ["vault"],
  mode: "write",
  body: record({
    contentType: optional(text(255)),
    attributes: optional(attributesRules),
    tags: optional(tagMap(512)),
  }),
  handle: (context, body) => {
    const object = readable(context, "secrets");
    const old = currentOrNamed(context, object);
    const touched =
      body.contentType !== undefined || body.tags !== undefined || Object.keys(body.attributes ?? {}).length > 0;
    const version: StoredSecretVersion = {
      ...old,
      attributes: updatedAttributes(context.seconds, old.attributes, body.attributes, touched),
      ...(body.contentType === undefined ? {} : { contentType: body.contentType }),
      ...(body.tags === undefined ? {} : { tags: body.tags }),
    };
    context.store.saveVersion(object, version);
    return { status: 200, body: renderSecretWithoutValue(context, object, version) };
  },
});
