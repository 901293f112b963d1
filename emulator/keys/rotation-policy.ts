import type { Context } from "../operation.js";
import { badParameter } from "../service-error.js";
import { list, optional, record, type ShapeOf, text } from "../shape.js";
import type { StoredAttributes, StoredRotationPolicy } from "../store/stored-object.js";
import type { Vault } from "../vault.js";
import { type Duration, readDuration, roughDays, shift } from "./duration.js";

const action = record({
  trigger: optional(record({ timeAfterCreate: optional(text(64)), timeBeforeExpiry: optional(text(64)) })),
  action: optional(record({ type: optional(text(16)) })),
});

/** `PUT /keys/{name}/rotationpolicy` as it is sent. */
export const rotationPolicyRules = record({
  lifetimeActions: optional(list(action)),
  attributes: optional(record({ expiryTime: optional(text(64)) })),
});
export type RotationPolicyInput = ShapeOf<typeof rotationPolicyRules>;
type Action = StoredRotationPolicy["lifetimeActions"][number];

const shortestExpiryDays = 28;
const shortestTriggerDays = 7;
const defaultNotify: Action = { trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } };

/** What a vault answers for a key that never had a policy. A Managed HSM has no Notify. */
export function defaultRotationPolicy(vault: Vault): object {
  if (vault.plane === "managedhsm") return { attributes: { created: 0, expiryTime: "", updated: 0 }, id: "" };
  return { lifetimeActions: [defaultNotify], attributes: null };
}

/**
 * The policy as the service stores it: on a vault the types are in Pascal case, Rotate comes first and Notify cannot
 * be left out.
 *
 * @throws ServiceError 400 outside of the service's limits.
 */
export function readRotationPolicy(
  vault: Vault,
  given: RotationPolicyInput,
  seconds: number,
  old: StoredRotationPolicy | undefined,
): StoredRotationPolicy {
  const expiryText = given.attributes?.expiryTime === "" ? undefined : given.attributes?.expiryTime;
  const expiry = expiryText === undefined ? undefined : required(expiryText);
  if (expiry !== undefined && roughDays(expiry) < shortestExpiryDays) {
    throw refused("the expiry time has to be at least 28 days");
  }
  const actions = (given.lifetimeActions ?? []).map((each) => readAction(vault, each, expiry));
  const rotates = actions.filter((each) => each.action.type.toLowerCase() === "rotate");
  const notifies = actions.filter((each) => each.action.type.toLowerCase() === "notify");
  if (rotates.length > 1 || notifies.length > 1) throw refused("an action type may appear only once");
  if (vault.plane === "vault" && notifies.length === 0) notifies.push(defaultNotify);
  return {
    lifetimeActions: vault.plane === "vault" ? [...rotates, ...notifies] : actions,
    ...(expiryText === undefined ? {} : { expiryTime: expiryText }),
    created: old?.created ?? seconds,
    updated: seconds,
  };
}

function readAction(
  vault: Vault,
  given: NonNullable<RotationPolicyInput["lifetimeActions"]>[number],
  expiry: Duration | undefined,
): Action {
  const type = given.action?.type?.toLowerCase();
  if (type !== "rotate" && type !== "notify") throw refused("the action type has to be Rotate or Notify");
  const { timeAfterCreate, timeBeforeExpiry } = given.trigger ?? {};
  if ((timeAfterCreate === undefined) === (timeBeforeExpiry === undefined)) {
    throw refused("a trigger has either timeAfterCreate or timeBeforeExpiry");
  }
  if (type === "notify" && timeAfterCreate !== undefined) throw refused("Notify has timeBeforeExpiry only");
  const days = roughDays(required(timeAfterCreate ?? timeBeforeExpiry ?? ""));
  if (days < shortestTriggerDays) throw refused("a trigger has to be at least 7 days away");
  if (type === "rotate") checkAgainstExpiry(days, timeAfterCreate !== undefined, expiry);
  const words =
    vault.plane === "vault" ? { rotate: "Rotate", notify: "Notify" } : { rotate: "rotate", notify: "notify" };
  return {
    trigger: timeAfterCreate === undefined ? { timeBeforeExpiry: timeBeforeExpiry ?? "" } : { timeAfterCreate },
    action: { type: words[type] },
  };
}

function checkAgainstExpiry(days: number, afterCreate: boolean, expiry: Duration | undefined): void {
  if (expiry === undefined) {
    if (!afterCreate) throw refused("timeBeforeExpiry needs an expiry time");
    return;
  }
  if (roughDays(expiry) - days < shortestTriggerDays) {
    throw refused("a trigger has to be at least 7 days after creation and 7 days before the expiry");
  }
}

function required(text: string): Duration {
  const span = readDuration(text);
  if (span === undefined) throw refused("a time span has the form of ISO 8601, such as P90D");
  return span;
}

const refused = (reason: string) => badParameter(`The key rotation policy is not valid: ${reason}.`);

/** Relative on a Managed HSM. */
export const rotationPolicyId = (context: Context, name: string) =>
  `${context.vault.plane === "managedhsm" ? "" : `${context.origin}/`}keys/${name}/rotationpolicy`;

export function renderRotationPolicy(vault: Vault, id: string, policy: StoredRotationPolicy): object {
  const { expiryTime, created, updated, lifetimeActions } = policy;
  if (vault.plane === "managedhsm") {
    return { attributes: { created, expiryTime: expiryTime ?? "", updated }, id, lifetimeActions };
  }
  return { id, lifetimeActions, attributes: { expiryTime, created, updated } };
}

/** When a version expires that is made now (seconds); undefined without an expiry time. */
export function expiryUnder(policy: StoredRotationPolicy | undefined, created: number): number | undefined {
  const span = policy?.expiryTime === undefined ? undefined : readDuration(policy.expiryTime);
  return span === undefined ? undefined : shift(created, span);
}

/**
 * When the policy makes the next version (milliseconds), counted from the current one. Never before the policy or the
 * key was last changed: what was overdue then is made then, not in the past.
 */
export function nextRotation(policy: StoredRotationPolicy | undefined, current: StoredAttributes): number | undefined {
  const due = dueByTrigger(policy, current);
  return due === undefined ? undefined : Math.max(due, policy?.updated ?? 0, current.updated) * 1000;
}

function dueByTrigger(policy: StoredRotationPolicy | undefined, current: StoredAttributes): number | undefined {
  const trigger = policy?.lifetimeActions.find((each) => each.action.type.toLowerCase() === "rotate")?.trigger;
  if (trigger === undefined) return undefined;
  const after = trigger.timeAfterCreate === undefined ? undefined : readDuration(trigger.timeAfterCreate);
  if (after !== undefined) return shift(current.created, after);
  const before = trigger.timeBeforeExpiry === undefined ? undefined : readDuration(trigger.timeBeforeExpiry);
  if (before === undefined || current.exp === undefined) return undefined;
  return shift(current.exp, before, -1);
}
