import type { Clock } from "./clock.js";

/** The time budget of one call: a signal that is aborted when it is used up, or when the caller's own signal is. */
export class Deadline {
  readonly signal: AbortSignal;
  /** True once the budget, not the caller, ended the call. */
  expired = false;
  readonly #at: number;
  readonly #clock: Clock;
  readonly #release: () => void;

  constructor(clock: Clock, ms: number, caller?: AbortSignal) {
    const controller = new AbortController();
    this.#clock = clock;
    this.#at = clock.now() + ms;
    this.signal = controller.signal;
    const onCallerAbort = () => controller.abort(caller?.reason);
    const cancel = clock.schedule(ms, () => {
      this.expired = !controller.signal.aborted;
      controller.abort(new Error("the time budget of the call is used up"));
    });
    if (caller?.aborted) onCallerAbort();
    else caller?.addEventListener("abort", onCallerAbort, { once: true });
    this.#release = () => {
      cancel();
      caller?.removeEventListener("abort", onCallerAbort);
    };
  }

  /** Milliseconds left, never negative. */
  remaining(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
