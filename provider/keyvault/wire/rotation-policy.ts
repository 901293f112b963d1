import { z } from "zod";
import type { KeyRotationPolicy } from "../key-bundle.js";
import { epochSeconds, present } from "./json.js";

const ACTIONS = { rotate: "Rotate", notify: "Notify" } as const;

/** Managed HSM writes the types in lower case, vaults in Pascal case. */
const actionType = z.codec(z.string(), z.enum(["Rotate", "Notify"]), {
  decode: (text, context) => {
    const known = ACTIONS[text.toLowerCase() as keyof typeof ACTIONS];
    if (known !== undefined) return known;
    context.issues.push({ code: "custom", input: text, message: "unknown action" });
    return z.NEVER;
  },
  encode: (type) => type,
});

const wirePolicy = z.looseObject({
  id: z.string().nullish(),
  lifetimeActions: z
    .array(
      z.looseObject({
        trigger: z
          .looseObject({ timeAfterCreate: z.string().nullish(), timeBeforeExpiry: z.string().nullish() })
          .nullish(),
        action: z.looseObject({ type: actionType }),
      }),
    )
    .nullish(),
  attributes: z
    .looseObject({
      expiryTime: z.string().nullish(),
      created: epochSeconds.nullish(),
      updated: epochSeconds.nullish(),
    })
    .nullish(),
});

const policy = z.object({
  id: z.string().exactOptional(),
  expiryTime: z.string().exactOptional(),
  lifetimeActions: z.array(
    z.object({
      action: z.enum(["Rotate", "Notify"]),
      timeAfterCreate: z.string().exactOptional(),
      timeBeforeExpiry: z.string().exactOptional(),
    }),
  ),
  createdOn: z.date().exactOptional(),
  updatedOn: z.date().exactOptional(),
});

const filled = (text: string | null | undefined) => (text === "" ? undefined : text);

/** A rotation policy in both directions. Id and dates are the service's own, so they are never sent; a Managed HSM sends empty ones for a policy never set. */
export const rotationPolicyCodec = z.codec(wirePolicy, policy, {
  decode: (wire) => {
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
  },
  encode: ({ expiryTime, lifetimeActions }) => ({
    lifetimeActions: lifetimeActions.map(({ action, ...trigger }) => ({ trigger, action: { type: action } })),
    attributes: present({ expiryTime }),
  }),
});

/** The body that sets a policy. */
export function encodeRotationPolicy(policy: KeyRotationPolicy): object {
  return z.encode(rotationPolicyCodec, policy);
}
