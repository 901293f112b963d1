import { defaultRotationPolicy, renderRotationPolicy, rotationPolicyId } from "../keys/rotation-policy.js";
import { readable } from "../object/lifecycle.js";
import { defineOperation } from "../operation.js";

/** The policy, or what the service says of a key that never had one. */
export const getKeyRotationPolicy = defineOperation({
  name: "getKeyRotationPolicy",
  method: "GET",
  routes: ["/keys/{name}/rotationpolicy"],
  permission: { collection: "keys", action: "getRotationPolicy", dataAction: "keyrotationpolicies/read" },
  throttle: "key",
  mode: "read",
  handle: (context) => {
    const { name, rotationPolicy } = readable(context, "keys");
    const body =
      rotationPolicy === undefined
        ? defaultRotationPolicy(context.vault)
        : renderRotationPolicy(context.vault, rotationPolicyId(context, name), rotationPolicy);
    return { status: 200, body };
  },
});
