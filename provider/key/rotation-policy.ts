import { parseIsoDuration } from "../engine/duration.js";
import type { KeyBundle, KeyRotationPolicy } from "../keyvault/key-bundle.js";
import type { KeyOutputs, RotationPolicyInputs } from "./key-inputs.js";

const DAY = 86_400_000;
const AUTOMATIC_NOTICE = "P30D";

/**
 * A rotation policy as the service takes it. Without a policy: the service's default, which is a notice on a vault and
 * nothing on a Managed HSM.
 */
export function wireRotationPolicy(
  policy: RotationPolicyInputs | undefined,
  plane: "vault" | "managedhsm",
): KeyRotationPolicy {
  const { rotateAfter, rotateBeforeExpiry, expireAfter, notifyBeforeExpiry } = policy ?? {};
  const notice = notifyBeforeExpiry ?? (plane === "vault" ? AUTOMATIC_NOTICE : undefined);
  return {
    ...(expireAfter ? { expiryTime: expireAfter } : {}),
    lifetimeActions: [
      ...(rotateAfter ? [{ action: "Rotate" as const, timeAfterCreate: rotateAfter }] : []),
      ...(rotateBeforeExpiry ? [{ action: "Rotate" as const, timeBeforeExpiry: rotateBeforeExpiry }] : []),
      ...(notice ? [{ action: "Notify" as const, timeBeforeExpiry: notice }] : []),
    ],
  };
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

/**
 * Whether a policy made this version: it rotates, and the version was made no earlier than the policy was due.
 * A day of tolerance, since the service rotates in its own time.
 */
export function explainsVersion(
  policy: RotationPolicyInputs,
  before: Pick<KeyOutputs, "createdOn" | "expiresOn">,
  now: Pick<KeyBundle, "createdOn">,
): boolean {
  if (before.createdOn === undefined || now.createdOn === undefined) return false;
  const created = Date.parse(before.createdOn);
  const due = dueTime(policy, created, before.expiresOn);
  return due !== undefined && now.createdOn.getTime() >= due - DAY;
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
