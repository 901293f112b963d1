import type { Clock } from "./clock.js";

/** Shorter ones are nobody's concern. */
const TOLD_AFTER_MS = 5_000;

/** Whether a vault answers, as all calls to it see it together. */
export class OutageWatch {
  readonly #clock: Clock;
  readonly #onOutage: (() => void) | undefined;
  #hasAnswered = false;
  #since: number | undefined;
  #isTold = false;

  constructor(clock: Clock, onOutage?: () => void) {
    this.#clock = clock;
    this.#onOutage = onOutage;
  }

  /** False for a vault that may never have been there: its URL may be wrong. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  answered(): void {
    this.#hasAnswered = true;
    this.#since = undefined;
    this.#isTold = false;
  }

  /** A call got no answer, or one that only says that there is none. */
  missed(): void {
    if (!this.#hasAnswered) return;
    this.#since ??= this.#clock.now();
    if (this.#isTold || this.#clock.now() - this.#since < TOLD_AFTER_MS) return;
    this.#isTold = true;
    this.#onOutage?.();
  }
}
