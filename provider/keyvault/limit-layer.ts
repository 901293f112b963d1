import type { Clock } from "./clock.js";
import type { Layer, VaultRequest, VaultResponse } from "./dispatch.js";
import { OPERATIONS, type OperationFacts } from "./operations.js";
import { retryAfterMs } from "./retry-after.js";

interface LaneRules {
  /** Parallel calls at the start and at most. */
  start: number;
  most: number;
  /** In milliseconds: over how much time the service counts. Where it is known, a lane that is throttled rests. */
  counted?: number;
}

/**
 * Creates of keys are limited to 10 or 20 in 10 seconds by the service, the rest to thousands. What makes versions has
 * a lane of its own: it looks again before it is sent, and a look must find room.
 */
const LANES: Record<OperationFacts["lane"], LaneRules> = {
  create: { start: 8, most: 8, counted: 10_000 },
  make: { start: 24, most: 64 },
  other: { start: 24, most: 64 },
};

/**
 * Limits parallel calls per vault: half as many after a 429, one more after each round without one.
 *
 * Creates go in bursts, as the service counts them: after a 429 their lane rests until 10 seconds after the first one of
 * the burst, when the service has room for as many again, and asks a few times before.
 *
 * @param onThrottled told once, where the vault still refuses calls after 5 seconds of it.
 */
export function limitLayer(clock: Clock, onThrottled?: () => void): Layer {
  const notice = new ThrottleNotice(clock, onThrottled);
  const lanes = {
    create: new Lane(LANES.create, clock),
    make: new Lane(LANES.make, clock),
    other: new Lane(LANES.other, clock),
  };
  return (next) => async (request) => {
    const lane = lanes[OPERATIONS[request.operation].lane];
    const waiting = lane.enter(request);
    if (waiting !== undefined) await waiting;
    const sentAt = clock.now();
    let response: VaultResponse | undefined;
    try {
      response = await next(request);
      if (response.status === 429) notice.refused();
      return response;
    } finally {
      lane.leave(sentAt, response);
    }
  };
}

/** Before there should be room, as the service's guidance says: 1, 2, 4, 8, 16 seconds. */
const FIRST_REST_MS = 1_000;
/** Once there should be: the service may count a moment longer, or somebody else may have been faster. */
const FIRST_OVERDUE_REST_MS = 200;
const LONGEST_REST_MS = 16_000;
/** The service counts 10 seconds: who asks for hours speaks to the one call, and not to all that wait behind it. */
const LONGEST_ASKED_REST_MS = 60_000;

function growing(first: number, times: number): number {
  return Math.min(first * 2 ** times, LONGEST_REST_MS);
}

const TOLD_AFTER_MS = 5_000;
/** Refusals that lie further apart are not the same story. */
const FORGOTTEN_AFTER_MS = 20_000;

class ThrottleNotice {
  readonly #clock: Clock;
  readonly #onThrottled: (() => void) | undefined;
  #since = 0;
  #last = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(clock: Clock, onThrottled?: () => void) {
    this.#clock = clock;
    this.#onThrottled = onThrottled;
  }

  refused(): void {
    const now = this.#clock.now();
    if (now - this.#last > FORGOTTEN_AFTER_MS) this.#since = now;
    this.#last = now;
    if (this.#isTold || now - this.#since < TOLD_AFTER_MS) return;
    this.#isTold = true;
    this.#onThrottled?.();
  }
}

class Lane {
  #limit: number;
  #running = 0;
  /** When the first call of the burst was sent that was not throttled. */
  #burstSince: number | undefined;
  #restsUntil = 0;
  /** How often it has rested since the last call that was not throttled. */
  #rests = 0;
  /** How many of them since there should have been room. */
  #overdueRests = 0;
  readonly #rules: LaneRules;
  readonly #clock: Clock;
  readonly #waiting: Set<() => void> = new Set();

  constructor(rules: LaneRules, clock: Clock) {
    this.#limit = rules.start;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Undefined where there is room, which is the rule and costs nothing; else what is fulfilled once there is. */
  enter({ deadline, stop }: Pick<VaultRequest, "deadline" | "stop">): Promise<void> | undefined {
    if (!deadline.ended && this.#hasRoom()) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      if (deadline.ended) {
        reject(deadline.reason);
        return;
      }
      const leave = (reason: unknown) => {
        forget();
        this.#waiting.delete(start);
        reject(reason);
      };
      const onStop = () => leave(stop?.reason);
      stop?.addEventListener("abort", onStop, { once: true });
      const start = () => {
        forget();
        this.#running++;
        resolve();
      };
      const forgetEnd = deadline.onEnd(() => leave(deadline.reason));
      const forget = () => {
        forgetEnd();
        stop?.removeEventListener("abort", onStop);
      };
      this.#waiting.add(start);
    });
  }

  /** @param response undefined where there was none, which says nothing of the limit. */
  leave(sentAt: number, response: VaultResponse | undefined): void {
    this.#running--;
    if (response?.status === 429) this.#throttled(sentAt, response);
    else if (response !== undefined) this.#passed(sentAt);
    this.#letIn();
  }

  #passed(sentAt: number): void {
    if (this.#rests > 0) {
      // A burst begins: as many at once as the first time.
      this.#rests = 0;
      this.#overdueRests = 0;
      this.#limit = this.#rules.start;
      this.#burstSince = sentAt;
    }
    this.#burstSince ??= sentAt;
    this.#limit = Math.min(this.#rules.most, this.#limit + 1 / this.#limit);
  }

  #throttled(sentAt: number, response: VaultResponse): void {
    const { counted } = this.#rules;
    if (counted === undefined) {
      this.#limit = Math.max(1, this.#limit / 2);
      return;
    }
    // Those of the same burst that come back throttled one after the other are one refusal.
    if (this.#rests > 0 && sentAt < this.#restsUntil) return;
    const now = this.#clock.now();
    const untilFree = this.#burstSince === undefined ? 0 : this.#burstSince + counted - now;
    const asked = retryAfterMs(response, now);
    const rest =
      (asked && Math.min(asked, LONGEST_ASKED_REST_MS)) ??
      (untilFree > 0
        ? Math.min(growing(FIRST_REST_MS, this.#rests), untilFree)
        : growing(FIRST_OVERDUE_REST_MS, this.#overdueRests++));
    this.#rests += 1;
    this.#limit = 1;
    this.#restsUntil = now + rest;
    this.#clock.schedule(rest, () => this.#letIn());
  }

  #hasRoom(): boolean {
    return this.#running < Math.floor(this.#limit) && this.#clock.now() >= this.#restsUntil;
  }

  #letIn(): void {
    for (const start of this.#waiting) {
      if (!this.#hasRoom()) break;
      this.#waiting.delete(start);
      start();
    }
  }
}
