import type { AccessTokens, Principal } from "../access/access-tokens.js";
import { challengeFor, claimsChallenge, expiredChallenge } from "../access/challenge.js";
import { requirePermission } from "../access/permissions.js";
import { readApiVersion } from "../api-version.js";
import { catchUp } from "../clock/clock-work.js";
import type { EmulatorClock } from "../clock/emulator-clock.js";
import { nounOf } from "../object/lifecycle.js";
import { requireSoftDelete } from "../object/purge-protection.js";
import type { Answer, Context } from "../operation.js";
import { parallelWork, ServiceError } from "../service-error.js";
import type { Store } from "../store/store.js";
import { costOf } from "./cost.js";
import type { FaultRule, Faults } from "./faults.js";
import { type RequestTarget, readTarget } from "./request-target.js";
import { type Route, route } from "./router.js";
import { type Throttle, throttled } from "./throttling.js";
import type { Address } from "./vault-directory.js";

/** A request before its body is read. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly address: Address;
  readonly authorization: string | undefined;
  /** Reads the body up to a limit. @throws ServiceError 413. */
  readonly readBody: (limit: number) => Promise<Buffer>;
}

/** An answer, what to write down of it, and what is to go wrong with it. */
export interface Outcome extends Answer {
  readonly operation: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fault?: FaultRule;
}

export interface Surroundings {
  readonly store: Store;
  readonly clock: EmulatorClock;
  readonly tokens: AccessTokens;
  readonly faults: Faults;
  /** Absent: no limits. */
  readonly throttle: Throttle | undefined;
  /** Told of what should not happen; the caller gets a bare 500, for its text may hold anything. */
  readonly onFailure: (error: unknown) => void;
}

/** Vaults with roles tell which assignment let a request through. */
const roleHeaders = {
  "x-ms-keyvault-rbac-assignment-id": "00000000000000000000000000000001",
  "x-ms-keyvault-rbac-cache": "ra_age=0;rd_age=0;brd_age=0;ra_notif_age=0;dec_lev=0;",
};

const bodyLimit = 1024 * 1024;
const largeBodyLimit = 16 * 1024 * 1024;

/** An encoded percent sign never reaches the service: its web server fails on it, on both planes. */
const percentInName = /^[^?]*%25/;
const frontEndFailure = {
  status: 400,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  text: "<!DOCTYPE html>\r\n<html>\r\n    <head>\r\n        <title>Runtime Error</title>\r\n    </head>\r\n    <body>\r\n        <h1>Server Error in '/' Application.</h1>\r\n    </body>\r\n</html>\r\n",
};

/** One request from challenge to answer, in the service's order: who, what, whether, then the body. */
export async function answer(surroundings: Surroundings, request: ApiRequest): Promise<Outcome> {
  const { address } = request;
  const caller = challengeFor(surroundings.tokens, address, request.authorization);
  if ("status" in caller) return caller;
  let operation = "refused";
  let fault: FaultRule | undefined;
  if (percentInName.test(request.url)) return { operation, ...frontEndFailure };
  try {
    const target = readTarget(request.url);
    const found = route(address.vault.plane, request.method, target.segments);
    operation = found.operation.name;
    const path = `/${target.segments.join("/")}`;
    fault = surroundings.faults.draw({ operation, method: request.method, path });
    const instead = fault === undefined ? undefined : faultedAnswer(surroundings, address, found, fault);
    if (fault !== undefined && instead !== undefined) return { operation, ...instead, fault };
    const handled = await handle(surroundings, request, target, found, caller);
    const headers = address.vault.permissions?.model === "rbac" ? { headers: roleHeaders } : {};
    return { operation, ...handled, ...headers, ...(fault === undefined ? {} : { fault }) };
  } catch (error) {
    if (!(error instanceof ServiceError)) surroundings.onFailure(error);
    const headers = error instanceof ServiceError && error.status === 429 ? surroundings.throttle?.headers : undefined;
    return {
      operation,
      ...refusal(address.vault.plane, error),
      ...(headers === undefined ? {} : { headers }),
      ...(fault === undefined ? {} : { fault }),
    };
  }
}

async function handle(
  surroundings: Surroundings,
  request: ApiRequest,
  target: RequestTarget,
  { operation, name, version }: Route,
  caller: Principal,
): Promise<Answer> {
  const { vault, origin, pageOrigin } = request.address;
  const apiVersionText = target.query.get("api-version") ?? undefined;
  const apiVersion = readApiVersion(apiVersionText);
  requirePermission(vault, operation, caller);
  requireSoftDelete(vault, operation);
  const body = await request.readBody(operation.largeBody ? largeBodyLimit : bodyLimit);
  const now = surroundings.clock.now();
  catchUp(surroundings.store, now);
  const context: Context = {
    vault,
    store: surroundings.store,
    clock: surroundings.clock,
    now,
    seconds: Math.floor(now / 1000),
    apiVersion,
    apiVersionText: apiVersionText ?? "",
    origin,
    pageOrigin,
    path: `/${target.segments.join("/")}`,
    name,
    version,
    query: target.query,
  };
  surroundings.throttle?.admit(vault, costOf(context, operation, body), now);
  return operation.run(context, body);
}

/** What a fault answers instead of handling the request; nothing for those that change an answer on its way out. */
function faultedAnswer(
  { store }: Surroundings,
  address: Address,
  { operation, name }: Route,
  fault: FaultRule,
): Omit<Outcome, "operation"> | undefined {
  switch (fault.kind) {
    case "dropBefore":
      return { status: 0 };
    case "expiredToken":
      return expiredChallenge(address);
    case "claims":
      return claimsChallenge(address);
    case "throttled":
      return refusal(address.vault.plane, throttled(operation));
    case "conflict": {
      const { collection } = operation.permission;
      const current = store.find(address.vault.name, collection, name)?.current ?? "";
      const isRecovery = operation.permission.action === "recover";
      const id = `${address.origin}/${collection}/${name}/${current}`;
      return refusal(address.vault.plane, parallelWork(nounOf(collection), id, isRecovery));
    }
    case "status":
      return refusal(address.vault.plane, unavailable(fault.status ?? 503));
    default:
      return undefined;
  }
}

const unavailable = (status: number) =>
  status === 503
    ? new ServiceError(503, "ServiceUnavailable", "The service is unavailable.")
    : new ServiceError(status, "InternalServerError", "The service failed to process the request.");

/** The service's envelope. What is not one of its refusals is a fault of the emulator, and its text may hold anything. */
export function refusal(plane: "vault" | "managedhsm", error: unknown): Answer {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError(500, "InternalServerError", "The emulator failed to process the request.");
  const message =
    plane === "managedhsm" ? `${known.message} (Activity ID: ${globalThis.crypto.randomUUID()})` : known.message;
  const inner = known.innerCode === undefined ? {} : { innererror: { code: known.innerCode } };
  return { status: known.status, body: { error: { code: known.code, message, ...inner } } };
}
