import { type Clock, delay } from "./clock.js";
import { type Layer, TransportFailure, type VaultRequest, type VaultResponse } from "./dispatch.js";
import { OPERATIONS } from "./operations.js";
import { retryAfterMs } from "./retry-after.js";

/** 1, 2, 4, 8, 16 seconds: what the service's guidance names for 429, which comes without Retry-After. */
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 16_000;
const MOST_ATTEMPTS = 7;
/** Nobody listens, or the name does not exist: that seldom heals within seconds, and people wait for the message. */
const MOST_CONNECT_ATTEMPTS = 3;

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const PERMANENT_FAILURE: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_INVALID_ARG",
]);

/**
 * Repeats what is safe to repeat, within the call's budget.
 *
 * Reads: 429, 5xx and failures of the transport. Writes: only where the service cannot have accepted the request, that is 429 and failures before the request
 * was sent. A write that makes a version or an object is not repeated after 429 either: whoever asked for it has looked before, and while we wait somebody else
 * may take the name, so it is for the caller to look again. When the next delay would use up the budget, the last answer stands.
 */
export function retryLayer(clock: Clock): Layer {
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      let wait: number;
      try {
        const response = await next(request);
        if (attempt >= MOST_ATTEMPTS || !mayRepeatResponse(request, response)) return response;
        wait = Math.max(retryAfterMs(response, clock.now()) ?? 0, backoff(attempt, clock));
        if (wait >= request.deadline.remaining()) return response;
      } catch (failure) {
        if (!(failure instanceof TransportFailure) || request.deadline.ended) throw failure;
        if (attempt >= mostAttempts(failure) || !mayRepeatFailure(request, failure)) throw failure;
        wait = backoff(attempt, clock);
        if (wait >= request.deadline.remaining()) throw failure;
      }
      await delay(clock, wait, request.deadline.signal);
    }
  };
}

function mayRepeatResponse(request: VaultRequest, response: VaultResponse): boolean {
  if (response.status === 429) return !OPERATIONS[request.operation].makes;
  if (!TRANSIENT_STATUS.has(response.status)) return false;
  return response.neverAccepted === true || !OPERATIONS[request.operation].write;
}

function mayRepeatFailure(request: VaultRequest, failure: TransportFailure): boolean {
  if (PERMANENT_FAILURE.has(failure.reason)) return false;
  return !failure.sent || !OPERATIONS[request.operation].write;
}

function mostAttempts(failure: TransportFailure): number {
  return failure.sent ? MOST_ATTEMPTS : MOST_CONNECT_ATTEMPTS;
}

/** Between half and the whole of the step, so that parallel calls do not come back together. */
function backoff(attempt: number, clock: Clock): number {
  const step = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
  return step / 2 + (clock.random() * step) / 2;
}
