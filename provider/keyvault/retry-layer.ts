import { type Clock, delay } from "./clock.js";
import { type Layer, TransportFailure, type VaultRequest, type VaultResponse } from "./dispatch.js";
import { OPERATIONS } from "./operations.js";
import { OutageWatch } from "./outage-watch.js";
import { retryAfterMs } from "./retry-after.js";

/** 1, 2, 4, 8, 16 seconds: what the service's guidance names for 429, which comes without Retry-After. */
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 16_000;
/** An outage's end is noticed soon. */
const LONGEST_OUTAGE_DELAY_MS = 4_000;
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
 * Reads: 429, 5xx and failures of the transport; of a vault that has answered before, for as long as the budget lasts, so that an outage of a minute is ridden
 * out. Writes: only where the service cannot have accepted the request, that is 429 and failures before the request was sent. A write that makes a version or an
 * object is not repeated after 429 either: whoever asked for it has looked before, and while we wait somebody else may take the name, so it is for the caller to
 * look again. When the next delay would use up the budget, the last answer stands.
 *
 * @param onOutage told once of each outage.
 */
export function retryLayer(clock: Clock, onOutage?: () => void): Layer {
  const outage = new OutageWatch(clock, onOutage);
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      let wait: number;
      try {
        const response = await next(request);
        if (!TRANSIENT_STATUS.has(response.status)) outage.answered();
        else if (response.status !== 429) outage.missed();
        if (!mayRepeatResponse(request, response) || isLast(attempt, MOST_ATTEMPTS, request)) return response;
        wait = Math.max(retryAfterMs(response, clock.now()) ?? 0, backoff(attempt, response.status));
        if (wait >= request.deadline.remaining()) return response;
      } catch (failure) {
        if (!(failure instanceof TransportFailure) || request.deadline.ended) throw failure;
        outage.missed();
        if (!mayRepeatFailure(request, failure) || isLast(attempt, mostAttempts(failure), request)) throw failure;
        wait = backoff(attempt);
        if (wait >= request.deadline.remaining()) throw failure;
      }
      await delay(clock, wait, waitSignal(request));
    }
  };

  /** The look of a lifecycle, or a list, waits for a vault that is known to be there. */
  function isLast(attempt: number, most: number, { operation }: VaultRequest): boolean {
    return attempt >= most && (OPERATIONS[operation].write || !outage.isWorthWaiting);
  }

  /** Between half and the whole of the step, so that parallel calls do not come back together. */
  function backoff(attempt: number, status?: number): number {
    const longest = status !== 429 && outage.isWorthWaiting ? LONGEST_OUTAGE_DELAY_MS : LONGEST_DELAY_MS;
    const step = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), longest);
    return step / 2 + (clock.random() * step) / 2;
  }
}

function waitSignal({ deadline, stop }: VaultRequest): AbortSignal {
  return stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]);
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
