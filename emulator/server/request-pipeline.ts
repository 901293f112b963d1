import type { AccessTokens, Principal } from "../access/access-tokens.js";
import { challengeFor } from "../access/challenge.js";
import { requirePermission } from "../access/permissions.js";
import { readApiVersion } from "../api-version.js";
import { catchUp } from "../clock/clock-work.js";
import type { EmulatorClock } from "../clock/emulator-clock.js";
import { requireSoftDelete } from "../object/purge-protection.js";
import type { Answer, Context } from "../operation.js";
import { ServiceError } from "../service-error.js";
import type { Store } from "../store/store.js";
import { costOf } from "./cost.js";
import { answerInstead, withOtherObject } from "./fault-answer.js";
import { commitOf, type FaultRule, type Faults } from "./faults.js";
import type { LateCommits } from "./late-commits.js";
import { type Outcome, refusal } from "./outcome.js";
import { type RequestTarget, readTarget } from "./request-target.js";
import { type Route, route } from "./router.js";
import type { Throttle } from "./throttling.js";
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

export interface Surroundings {
  readonly store: Store;
  readonly clock: EmulatorClock;
  readonly tokens: AccessTokens;
  readonly faults: Faults;
  /** What faults have put off. */
  readonly late: LateCommits;
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
const defaultLateness = 1_000;

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
  const late = surroundings.late.settle();
  if (late !== undefined) await late;
  const caller = challengeFor(surroundings.tokens, address, request.authorization);
  if ("status" in caller) return caller;
  let operation = "refused";
  let fault: FaultRule | undefined;
  if (percentInName.test(request.url)) return { operation, ...frontEndFailure };
  try {
    const target = readTarget(request.url);
    const found = route(address.vault.plane, request.method, target.segments);
    operation = found.operation.name;
    const { method } = request;
    const path = `/${target.segments.join("/")}`;
    fault = surroundings.faults.draw({
      operation,
      method,
      path,
      name: found.name,
      vault: address.vault.name,
      now: surroundings.clock.now(),
    });
    const carryOut = (body: ApiRequest["readBody"], now?: number) =>
      handle(surroundings, address, body, target, found, caller, now);
    if (fault !== undefined) {
      const instead = answerInstead(surroundings.store, address, found, fault);
      if (instead !== undefined) {
        await carryOutUnseen(surroundings, request, fault, carryOut);
        return { operation, ...instead, fault };
      }
    }
    const handled = await carryOut(request.readBody);
    const headers = address.vault.permissions?.model === "rbac" ? { headers: roleHeaders } : {};
    return { operation, ...spoilt(handled, fault), ...headers, ...(fault === undefined ? {} : { fault }) };
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

/** The request behind a fault's own answer: carried out before it, after it, or not at all. Nobody sees how it ended. */
async function carryOutUnseen(
  { late, onFailure }: Surroundings,
  request: ApiRequest,
  fault: FaultRule,
  carryOut: (readBody: ApiRequest["readBody"], now?: number) => Promise<Answer>,
): Promise<void> {
  const commit = commitOf(fault);
  if (commit === "never") return;
  // The size that an operation takes is looked at when it is carried out.
  const body = await request.readBody(largeBodyLimit);
  const readBody = async () => body;
  if (commit === "late") {
    late.add(fault.milliseconds ?? defaultLateness, (now) => carryOut(readBody, now));
    return;
  }
  try {
    await carryOut(readBody);
  } catch (error) {
    if (!(error instanceof ServiceError)) onFailure(error);
  }
}

function spoilt(handled: Answer, fault: FaultRule | undefined): Answer {
  if (fault?.kind !== "otherObject" || handled.body === undefined) return handled;
  return { ...handled, body: Object(withOtherObject(handled.body)) };
}

async function handle(
  surroundings: Surroundings,
  { vault, origin, pageOrigin }: Address,
  readBody: ApiRequest["readBody"],
  target: RequestTarget,
  { operation, name, version }: Route,
  caller: Principal,
  at: number | undefined,
): Promise<Answer> {
  const apiVersionText = target.query.get("api-version") ?? undefined;
  const apiVersion = readApiVersion(apiVersionText);
  requirePermission(vault, operation, caller);
  requireSoftDelete(vault, operation);
  const body = await readBody(operation.largeBody ? largeBodyLimit : bodyLimit);
  const now = at ?? surroundings.clock.now();
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
