import type { Clock } from "./clock.js";

/** Shorter ones are nobody's concern. */
const TOLD_AFTER_MS = 5_000;
const PATIENCE_MS = 2 * 60_000;

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

  /**
   * Whether the vault is likely to be there again soon. False for one that may never have been there, since its URL may
   * be wrong, and for one that has been away for long: the calls that follow do not each wait as the first ones did.
   */
  get isWorthWaiting(): boolean {
    return this.#hasAnswered && this.#clock.now() - (this.#since ?? this.#clock.now()) < PATIENCE_MS;
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
