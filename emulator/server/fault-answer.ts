import { claimsChallenge, expiredChallenge } from "../access/challenge.js";
import { nounOf } from "../object/lifecycle.js";
import { parallelWork, ServiceError } from "../service-error.js";
import { isRecord } from "../shape.js";
import type { Store } from "../store/store.js";
import type { FaultRule } from "./faults.js";
import { type Outcome, refusal } from "./outcome.js";
import type { Route } from "./router.js";
import { throttled } from "./throttling.js";
import type { Address } from "./vault-directory.js";

type Instead = Omit<Outcome, "operation" | "fault">;

/** A page as gateways and captive portals have it. */
export const gatewayPage = "<!DOCTYPE html>\r\n<html><head><title>Gateway</title></head><body></body></html>\r\n";
const html = { "Content-Type": "text/html; charset=utf-8" };

/** What a fault says in the service's place; nothing where it only spoils the service's own answer. */
export function answerInstead(
  store: Store,
  address: Address,
  { operation, name }: Route,
  fault: FaultRule,
): Instead | undefined {
  const { plane } = address.vault;
  switch (fault.kind) {
    case "dropBefore":
    case "drop":
    case "silence":
      return { status: 0 };
    case "html":
      return { status: fault.status ?? 200, headers: html, text: gatewayPage };
    case "expiredToken":
      return expiredChallenge(address);
    case "claims":
      return claimsChallenge(address);
    case "throttled":
      return { ...refusal(plane, throttled(operation)), ...retryAfter(fault) };
    case "parallelWrites":
    case "conflict": {
      const { collection, action } = operation.permission;
      const current = store.find(address.vault.name, collection, name)?.current ?? "";
      const id = `${address.origin}/${collection}/${name}/${current}`;
      return refusal(plane, parallelWork(nounOf(collection), id, action === "recover"));
    }
    case "status":
      return { ...refusal(plane, failure(fault)), ...retryAfter(fault) };
    default:
      return undefined;
  }
}

const retryAfter = ({ retryAfterSeconds }: FaultRule) =>
  retryAfterSeconds === undefined ? {} : { headers: { "Retry-After": String(retryAfterSeconds) } };

function failure({ status = 503, code, innerCode, message }: FaultRule): ServiceError {
  const isDown = status === 503;
  return new ServiceError(
    status,
    code ?? (isDown ? "ServiceUnavailable" : "InternalServerError"),
    message ?? (isDown ? "The service is unavailable." : "The service failed to process the request."),
    innerCode,
  );
}

const objectPath = /(\/(?:deleted)?(?:keys|secrets)\/)[0-9a-zA-Z-]+/g;

/** The answer as it would be for an object of another name. */
export function withOtherObject(value: unknown): unknown {
  if (typeof value === "string")
    return value.startsWith("http") ? value.replace(objectPath, "$1another-object") : value;
  if (Array.isArray(value)) return value.map(withOtherObject);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withOtherObject(member)]));
}
