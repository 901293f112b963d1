import { errorOf } from "./json.js";
import type { Step } from "./scenario.js";
import type { Caller } from "./stage.js";

/** Who must have asked for the service to answer so. */
export function callerOf(step: Step): Caller {
  const { status, body } = step.exchange.response;
  const error = errorOf(body);
  const message = error?.message ?? "";
  if (status === 401) {
    const audience = /AKV10022.*found: (\S*?)\.?$/s.exec(message)?.[1];
    if (audience !== undefined) return { kind: "wrongAudience", audience };
    if (/Unable to verify access token/.test(message))
      return { kind: "wrongAudience", audience: "https://other.example" };
    return { kind: message.includes("AKV10032") ? "wrongIssuer" : "nobody" };
  }
  if (status === 403 && error?.innerCode === "ForbiddenByRbac") return { kind: "without", model: "rbac" };
  const denied = /^The user, group or application |^Operation is not allowed\.\s+Operation: /.test(message);
  if (status === 403 && denied) return { kind: "without", model: "accessPolicy" };
  return { kind: "owner" };
}
