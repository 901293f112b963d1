import type { EmulatorClock } from "../clock/emulator-clock.js";
import type { Answer } from "../operation.js";
import { badParameter, methodNotAllowed, ServiceError } from "../service-error.js";
import { conform, flag, integer, optional, record } from "../shape.js";
import { type FaultRule, type Faults, readFaultRule } from "./faults.js";
import type { RequestLog } from "./request-log.js";

export const controlPrefix = "/_emulator/";

export interface ControlRequest {
  readonly method: string;
  readonly url: string;
  readonly remoteAddress: string | undefined;
  readonly contentType: string | undefined;
  readonly readBody: (limit: number) => Promise<Buffer>;
}

export interface Controlled {
  readonly clock: EmulatorClock;
  readonly faults: Faults;
  readonly requests: RequestLog;
}

const clockRules = record({
  advance: optional(integer(0, 100 * 365 * 86_400_000)),
  freeze: optional(flag()),
});
const bodyLimit = 64 * 1024;

/** The emulator's own endpoints, for tests in other languages: loopback only, and out of a web page's reach. */
export async function control(controlled: Controlled, request: ControlRequest): Promise<Answer> {
  const remote = request.remoteAddress ?? "";
  if (!/^(::ffff:)?127\.|^::1$/.test(remote)) throw new ServiceError(403, "Forbidden", "Only from loopback.");
  const path = request.url.split("?", 1)[0] ?? "";
  const subject = path.slice(controlPrefix.length).replace(/\/$/, "");
  switch (subject) {
    case "faults":
      return controlFaults(controlled, request);
    case "clock":
      return controlClock(controlled, request);
    case "requests":
      return controlRequests(controlled, request);
    default:
      throw new ServiceError(404, "NotFound", "The emulator's own endpoints are faults, clock and requests.");
  }
}

async function controlFaults({ faults }: Controlled, request: ControlRequest): Promise<Answer> {
  if (request.method === "DELETE") faults.clear();
  else if (request.method === "POST") faults.add(ruleOf(await readJson(request)));
  else if (request.method !== "GET") throw methodNotAllowed(request.method);
  return { status: 200, body: { faults: faults.rules } };
}

function ruleOf(json: unknown): FaultRule {
  try {
    return readFaultRule(json);
  } catch (error) {
    throw error instanceof RangeError ? badParameter(error.message) : error;
  }
}

async function controlClock({ clock }: Controlled, request: ControlRequest): Promise<Answer> {
  if (request.method === "POST") {
    const { advance, freeze } = conform(clockRules, await readJson(request));
    if (freeze === true) clock.freeze();
    if (freeze === false) clock.resume();
    if (advance !== undefined) clock.advance(advance);
  } else if (request.method !== "GET") throw methodNotAllowed(request.method);
  return { status: 200, body: { now: clock.now(), frozen: clock.frozen } };
}

async function controlRequests({ requests }: Controlled, request: ControlRequest): Promise<Answer> {
  if (request.method === "DELETE") requests.clear();
  else if (request.method !== "GET") throw methodNotAllowed(request.method);
  return { status: 200, body: { count: requests.count, log: requests.log } };
}

/** A page in a browser cannot send this content type across origins without being asked first. */
async function readJson(request: ControlRequest): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.contentType ?? "")) {
    throw badParameter("The emulator's own endpoints take application/json.");
  }
  try {
    return JSON.parse((await request.readBody(bodyLimit)).toString("utf8"));
  } catch {
    throw badParameter("The request body is not a valid JSON document.");
  }
}
