import { renderKeyBundle } from "../keys/key-bundle.js";
import { keyOperations } from "../keys/key-rules.js";
import { releasePolicyRules, replaceReleasePolicy } from "../keys/release-policy.js";
import { nextRotation } from "../keys/rotation-policy.js";
import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { attributesRules, updatedAttributes } from "../object/new-version.js";
import { defineOperation } from "../operation.js";
import { list, oneOf, optional, record, tagMap } from "../shape.js";
import type { StoredKeyVersion } from "../store/stored-object.js";

/** What is sent replaces, what is not sent stays; tags and key_ops are replaced as a whole. */
export const updateKey = defineOperation({
  name: "updateKey",
  method: "PATCH",
  routes: ["/keys/{name}", "/keys/{name}/{version}"],
  permission: { collection: "keys", action: "update", dataAction: "update" },
  throttle: "key",
  mode: "write",
  body: record({
    key_ops: optional(list(oneOf(...keyOperations))),
    attributes: optional(attributesRules),
    tags: optional(tagMap(256)),
    release_policy: optional(releasePolicyRules),
  }),
  handle: (context, body) => {
    const object = readable(context, "keys");
    const old = currentOrNamed(context, object);
    const touched =
      body.key_ops !== undefined ||
      body.tags !== undefined ||
      body.release_policy !== undefined ||
      Object.keys(body.attributes ?? {}).length > 0;
    const version: StoredKeyVersion = {
      ...old,
      attributes: updatedAttributes(context.seconds, old.attributes, body.attributes, touched),
      key: { ...old.key, key_ops: body.key_ops ?? old.key.key_ops },
      ...(body.tags === undefined ? {} : { tags: body.tags }),
    };
    if (body.release_policy !== undefined) {
      const exportable = old.attributes.exportable ?? false;
      version.releasePolicy = replaceReleasePolicy(context.vault, exportable, old.releasePolicy, body.release_policy);
    }
    context.store.saveVersion(object, version);
    if (version.version === object.current) {
      object.dueAt = nextRotation(object.rotationPolicy, version.attributes);
      context.store.save(object);
    }
    return { status: 200, body: renderKeyBundle(context, object, version) };
  },
});
