import { parseIsoDuration } from "../engine/duration.js";
import { canonicalJson } from "../engine/normal-form.js";
import type { KeyRotationPolicy, KeyRotationPolicyInput } from "../keyvault/key-bundle.js";
import type { RotationPolicyInputs } from "./key-inputs.js";

const DAY = 86_400_000;
const AUTOMATIC_NOTICE = "P30D";

/** A rotation policy as the service takes it, and no more than the program says: the service adds its notice by itself. */
export function wireRotationPolicy(policy: RotationPolicyInputs | undefined): KeyRotationPolicy {
  const { rotateAfter, rotateBeforeExpiry, expireAfter, notifyBeforeExpiry } = policy ?? {};
  return {
    ...(expireAfter ? { expiryTime: expireAfter } : {}),
    lifetimeActions: [
      ...(rotateAfter ? [{ action: "Rotate" as const, timeAfterCreate: rotateAfter }] : []),
      ...(rotateBeforeExpiry ? [{ action: "Rotate" as const, timeBeforeExpiry: rotateBeforeExpiry }] : []),
      ...(notifyBeforeExpiry ? [{ action: "Notify" as const, timeBeforeExpiry: notifyBeforeExpiry }] : []),
    ],
  };
}

/** As it is sent: in lower case, which vaults, Managed HSMs and stricter servers all take. */
export function sentRotationPolicy(policy: RotationPolicyInputs | undefined): KeyRotationPolicyInput {
  const { lifetimeActions, ...rest } = wireRotationPolicy(policy);
  return { ...rest, lifetimeActions: lifetimeActions.map((item) => ({ ...item, action: item.action.toLowerCase() })) };
}

/** Whether the vault has the policy that the program says, however it writes it. */
export function samePolicy(policy: KeyRotationPolicy, declared: RotationPolicyInputs | undefined): boolean {
  return canonicalJson(observedRotationPolicy(policy, declared ?? {})) === canonicalJson(emptyIsNone(declared));
}

function emptyIsNone(policy: RotationPolicyInputs | undefined): RotationPolicyInputs | undefined {
  return policy !== undefined && Object.keys(policy).length > 0 ? policy : undefined;
}

/** The vault's policy in the normal form of inputs. The notice that the service adds by itself is no part of it. */
export function observedRotationPolicy(
  policy: KeyRotationPolicy,
  declared: RotationPolicyInputs,
): RotationPolicyInputs | undefined {
  const rotate = policy.lifetimeActions.find((action) => action.action === "Rotate");
  const notify = policy.lifetimeActions.find((action) => action.action === "Notify");
  const notice = notify?.timeBeforeExpiry;
  const isAutomatic =
    declared.notifyBeforeExpiry === undefined && (notice === undefined || notice === AUTOMATIC_NOTICE);
  const observed: Record<string, string | undefined> = {
    rotateAfter: rotate?.timeAfterCreate,
    rotateBeforeExpiry: rotate?.timeBeforeExpiry,
    expireAfter: policy.expiryTime || undefined,
    notifyBeforeExpiry: isAutomatic ? undefined : notice,
  };
  const entries = Object.entries(observed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // The same length of time may be written in two ways: keep the program's.
  const sameAsDeclared = entries.map(([member, value]) => {
    const written = declared[member as keyof RotationPolicyInputs];
    return [member, written !== undefined && sameDuration(written, value) ? written : value];
  });
  return entries.length > 0 ? (Object.fromEntries(sameAsDeclared) as RotationPolicyInputs) : undefined;
}

/** What is known of a version when the next one is judged. */
export interface VersionMoments {
  createdOn?: string;
  expiresOn?: string;
}

/** The service rotates in its own time: early by its clock's drift, late by what it takes to come round. */
const EARLY_MS = 3_600_000;
const LATE_MS = 2 * DAY;

/**
 * Whether a policy made a version: it rotates, and the version was made near the day on which the one before was due.
 * Long after that day nothing is explained any more: a rotation that did not come does not excuse a key that did.
 */
export function explainsVersion(
  policy: RotationPolicyInputs,
  before: VersionMoments,
  { createdOn }: { createdOn?: Date },
): boolean {
  if (before.createdOn === undefined || createdOn === undefined) return false;
  const due = dueTime(policy, Date.parse(before.createdOn), before.expiresOn);
  if (due === undefined) return false;
  const late = createdOn.getTime() - due;
  return late >= -EARLY_MS && late <= LATE_MS;
}

/** The moment at which the policy lets a version expire; undefined where it sets none. */
export function policyExpiry(policy: RotationPolicyInputs, createdOn: string | undefined): number | undefined {
  const lifetime = policy.expireAfter === undefined ? undefined : parseIsoDuration(policy.expireAfter);
  return lifetime === undefined || createdOn === undefined ? undefined : Date.parse(createdOn) + lifetime;
}

/** Whether an expiry is the policy's own. A day of tolerance, since months and years differ in length. */
export function isPolicyExpiry(policy: RotationPolicyInputs, createdOn: Date | undefined, expiresOn: Date): boolean {
  if (createdOn === undefined) return false;
  const expected = policyExpiry(policy, createdOn.toISOString());
  const days = expected === undefined ? 0 : (expected - createdOn.getTime()) / DAY;
  return expected !== undefined && Math.abs(expiresOn.getTime() - expected) <= DAY * Math.max(1, days / 60);
}

function dueTime(policy: RotationPolicyInputs, created: number, expiresOn: string | undefined): number | undefined {
  if (policy.rotateAfter) {
    const after = parseIsoDuration(policy.rotateAfter);
    return after === undefined ? undefined : created + after;
  }
  if (!policy.rotateBeforeExpiry) return undefined;
  const before = parseIsoDuration(policy.rotateBeforeExpiry);
  const lifetime = policy.expireAfter ? parseIsoDuration(policy.expireAfter) : undefined;
  const expiry = expiresOn ? Date.parse(expiresOn) : lifetime === undefined ? undefined : created + lifetime;
  return before === undefined || expiry === undefined ? undefined : expiry - before;
}

function sameDuration(a: string, b: string): boolean {
  return a === b || (parseIsoDuration(a) !== undefined && parseIsoDuration(a) === parseIsoDuration(b));
}
