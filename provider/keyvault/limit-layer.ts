import type { Deadline } from "./deadline.js";
import type { Layer } from "./dispatch.js";
import { OPERATIONS, type OperationFacts } from "./operations.js";

/** Parallel calls at the start and at most, per lane. Creates are limited to 10 or 20 in 10 seconds by the service, the rest to thousands. */
const LANES: Record<OperationFacts["lane"], { start: number; most: number }> = {
  create: { start: 2, most: 4 },
  other: { start: 24, most: 64 },
};

/** Limits parallel calls per vault: half as many after a 429, one more after each round without one. Creates are apart from the rest. */
export function limitLayer(): Layer {
  const lanes = { create: new Lane(LANES.create), other: new Lane(LANES.other) };
  return (next) => async (request) => {
    const lane = lanes[OPERATIONS[request.operation].lane];
    const waiting = lane.enter(request.deadline);
    if (waiting !== undefined) await waiting;
    let throttled = false;
    try {
      const response = await next(request);
      throttled = response.status === 429;
      return response;
    } finally {
      lane.leave(throttled);
    }
  };
}

class Lane {
  #limit: number;
  #running = 0;
  readonly #most: number;
  readonly #waiting: Set<() => void> = new Set();

  constructor({ start, most }: { start: number; most: number }) {
    this.#limit = start;
    this.#most = most;
  }

  /** Undefined where there is room, which is the rule and costs nothing; else what is fulfilled once there is. */
  enter(deadline: Deadline): Promise<void> | undefined {
    if (!deadline.ended && this.#running < Math.floor(this.#limit)) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      if (deadline.ended) {
        reject(deadline.reason);
        return;
      }
      const start = () => {
        forget();
        this.#running++;
        resolve();
      };
      const forget = deadline.onEnd(() => {
        this.#waiting.delete(start);
        reject(deadline.reason);
      });
      this.#waiting.add(start);
    });
  }

  leave(throttled: boolean): void {
    this.#running--;
    this.#limit = throttled ? Math.max(1, this.#limit / 2) : Math.min(this.#most, this.#limit + 1 / this.#limit);
    for (const start of this.#waiting) {
      if (this.#running >= Math.floor(this.#limit)) break;
      this.#waiting.delete(start);
      start();
    }
  }
}
