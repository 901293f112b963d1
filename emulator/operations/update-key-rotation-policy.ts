import {
  nextRotation,
  readRotationPolicy,
  renderRotationPolicy,
  rotationPolicyId,
  rotationPolicyRules,
} from "../keys/rotation-policy.js";
import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { defineOperation } from "../operation.js";

/** Replaces the policy. From here on the clock makes versions. */
export const updateKeyRotationPolicy = defineOperation({
  name: "updateKeyRotationPolicy",
  method: "PUT",
  routes: ["/keys/{name}/rotationpolicy"],
  permission: { collection: "keys", action: "setRotationPolicy", dataAction: "keyrotationpolicies/write" },
  throttle: "key",
  mode: "write",
  body: rotationPolicyRules,
  handle: (context, body) => {
    const object = readable(context, "keys");
    const policy = readRotationPolicy(context.vault, body, context.seconds, object.rotationPolicy);
    object.rotationPolicy = policy;
    object.dueAt = nextRotation(policy, currentOrNamed(context, object).attributes);
    context.store.save(object);
    return {
      status: 200,
      body: renderRotationPolicy(context.vault, rotationPolicyId(context, object.name), policy),
    };
  },
});
