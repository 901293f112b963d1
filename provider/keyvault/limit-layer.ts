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
    await lane.enter(request.deadline.signal);
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

  enter(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#waiting.delete(start);
        reject(signal.reason);
      };
      const start = () => {
        signal.removeEventListener("abort", onAbort);
        this.#running++;
        resolve();
      };
      if (this.#running < Math.floor(this.#limit)) {
        start();
        return;
      }
      signal.addEventListener("abort", onAbort, { once: true });
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
