import { z } from "zod";
import type { KeyRotationPolicy, KeyRotationPolicyInput } from "../key-bundle.js";
import { AnswerSchema, epochSeconds, present } from "./json.js";
import { address, atMost, duration } from "./word.js";

const ACTIONS: ReadonlyMap<string, "Rotate" | "Notify"> = new Map([
  ["rotate", "Rotate"],
  ["notify", "Notify"],
]);

/** Managed HSM writes the types in lower case, vaults in Pascal case. */
const actionType = z.string().transform((text, context): "Rotate" | "Notify" => {
  const known = ACTIONS.get(text.toLowerCase());
  if (known !== undefined) return known;
  context.addIssue({ code: "custom", message: "unknown action" });
  return z.NEVER;
});

const trigger = z.object({ timeAfterCreate: duration.nullish(), timeBeforeExpiry: duration.nullish() });

const wirePolicy = z.object({
  id: address.nullish(),
  lifetimeActions: atMost(
    64,
    z.object({ trigger: trigger.nullish(), action: z.object({ type: actionType }) }),
  ).nullish(),
  attributes: z
    .object({
      expiryTime: duration.nullish(),
      created: epochSeconds.nullish(),
      updated: epochSeconds.nullish(),
    })
    .nullish(),
});

const filled = (text: string | null | undefined) => (text === "" ? undefined : text);

/** A rotation policy as both planes write it; a Managed HSM writes an empty id and dates of 1970 for one that was never set. */
export const rotationPolicy = new AnswerSchema(
  wirePolicy.transform((wire): KeyRotationPolicy => {
    const neverSet = wire.id === "" && wire.attributes?.created?.getTime() === 0;
    return {
      ...present({
        id: filled(wire.id),
        expiryTime: filled(wire.attributes?.expiryTime),
        createdOn: neverSet ? undefined : wire.attributes?.created,
        updatedOn: neverSet ? undefined : wire.attributes?.updated,
      }),
      lifetimeActions: (wire.lifetimeActions ?? []).map(({ action, trigger }) => ({
        action: action.type,
        ...present({
          timeAfterCreate: filled(trigger?.timeAfterCreate),
          timeBeforeExpiry: filled(trigger?.timeBeforeExpiry),
        }),
      })),
    };
  }),
);

/** The body that sets a policy: what is given and nothing else, in the spelling that is given. Id and dates are the service's own, so they are never sent. */
export function encodeRotationPolicy({ expiryTime, lifetimeActions }: KeyRotationPolicyInput): object {
  return {
    lifetimeActions: lifetimeActions.map(({ action, timeAfterCreate, timeBeforeExpiry }) => ({
      trigger: present({ timeAfterCreate, timeBeforeExpiry }),
      action: { type: action },
    })),
    attributes: present({ expiryTime }),
  };
}
