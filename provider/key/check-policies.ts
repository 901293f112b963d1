import { shownName } from "../engine/described-value.js";
import { parseIsoDuration } from "../engine/duration.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";

const DAY = 86_400_000;
const ROTATION_MEMBERS = ["rotateAfter", "rotateBeforeExpiry", "expireAfter", "notifyBeforeExpiry"];

/** Checks a rotation policy against the service's limits: expiry at least 28 days, triggers at least 7 days. */
export function checkRotationPolicy(check: InputCheck): Properties | string | undefined {
  const policy = check.record("rotationPolicy", 'a policy such as { rotateAfter: "P90D", expireAfter: "P1Y" }');
  if (!isRecord(policy)) return policy;
  const durations: Record<string, number> = {};
  for (const [member, value] of Object.entries(policy)) {
    if (value === undefined || value === null || isUnknown(value)) continue;
    const duration = typeof value === "string" ? parseIsoDuration(value) : undefined;
    if (!ROTATION_MEMBERS.includes(member)) {
      check.fail("rotationPolicy", `${shownName(member)} is not one of ${ROTATION_MEMBERS.join(", ")}`);
    } else if (duration === undefined) {
      check.fail(
        "rotationPolicy",
        `${member} must be an ISO 8601 duration in years, months or days, such as "P90D" (the service takes no weeks and no times)${inDays(value)}`,
      );
    } else if (duration < (member === "expireAfter" ? 28 : 7) * DAY) {
      check.fail("rotationPolicy", `${member} must be at least ${member === "expireAfter" ? 28 : 7} days`);
    } else {
      durations[member] = duration;
    }
  }
  if (policy.rotateAfter !== undefined && policy.rotateBeforeExpiry !== undefined) {
    check.fail("rotationPolicy", "takes rotateAfter or rotateBeforeExpiry, not both: a policy has one Rotate action");
  }
  if (policy.rotateBeforeExpiry !== undefined && policy.expireAfter === undefined) {
    check.fail("rotationPolicy", "rotateBeforeExpiry needs expireAfter");
  }
  const { rotateAfter, rotateBeforeExpiry, expireAfter } = durations;
  if (expireAfter !== undefined && rotateAfter !== undefined && rotateAfter > expireAfter - 7 * DAY) {
    check.fail("rotationPolicy", "rotateAfter must be at least 7 days before expireAfter");
  }
  if (expireAfter !== undefined && rotateBeforeExpiry !== undefined && rotateBeforeExpiry > expireAfter - 7 * DAY) {
    check.fail("rotationPolicy", "rotateBeforeExpiry must leave at least 7 days after creation");
  }
  return Object.keys(policy).length > 0 ? policy : undefined;
}

/** The remedy for weeks, which the service does not take. */
function inDays(value: unknown): string {
  const weeks = typeof value === "string" ? /^P(\d{1,3})W$/.exec(value)?.[1] : undefined;
  return weeks === undefined ? "" : `: write P${Number(weeks) * 7}D`;
}

/** A release policy: `{ data, contentType?, immutable? }`, `data` being the policy's JSON as text or as an object. */
export function checkReleasePolicy(check: InputCheck): Properties | string | undefined {
  const policy = check.record("releasePolicy", "{ data: <the policy's JSON>, contentType?, immutable? }");
  if (!isRecord(policy)) return policy;
  const { data, contentType, immutable } = policy;
  if (isUnknown(data)) return policy;
  const text = isRecord(data) ? JSON.stringify(data) : data;
  if (typeof text !== "string" || !isJsonWithVersion(text)) {
    check.fail("releasePolicy", 'data must be a policy in JSON that has a "version", such as "1.0.0"');
    return undefined;
  }
  return {
    data: text,
    ...(typeof contentType === "string" ? { contentType } : {}),
    ...(immutable === true ? { immutable } : {}),
  };
}

function isJsonWithVersion(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) && typeof parsed.version === "string";
  } catch {
    return false;
  }
}
