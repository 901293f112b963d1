import { tell } from "../engine/progress.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { type Clock, delay } from "../keyvault/clock.js";
import { isKeyVaultError, type KeyVaultErrorCode } from "../keyvault/errors.js";

/** Failures that pass when the vault, or the way to it, is there again. A backup changes nothing, and may be asked again. */
const PASSING: ReadonlySet<KeyVaultErrorCode> = new Set([
  "KV_THROTTLED",
  "KV_UNAVAILABLE",
  "KV_TIMEOUT",
  "KV_TRANSPORT",
]);
const PAUSE_MS = 5_000;
const LONGEST_MS = 3 * 60_000;

/**
 * Lets all workers of a long work wait together for a vault that has answered before and does not any more. One line
 * tells it. A vault that never answered is waited for by the client alone, for less long: its URL may be wrong.
 */
export class OutageWait {
  readonly #vaultUrl: string;
  readonly #clock: Clock;
  #hasAnswered = false;
  #since: number | undefined;
  #pause: Promise<boolean> | undefined;

  constructor(vaultUrl: string, clock: Clock) {
    this.#vaultUrl = vaultUrl;
    this.#clock = clock;
  }

  /** The vault has answered. */
  end(): void {
    this.#hasAnswered = true;
    this.#since = undefined;
  }

  /** Pauses, and tells whether the same may be tried again. */
  async mayRepeatAfter(failure: unknown): Promise<boolean> {
    if (!this.#hasAnswered || !isKeyVaultError(failure) || !PASSING.has(failure.code)) return false;
    if (runCancellation().aborted) return false;
    const now = this.#clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      tell(`${this.#vaultUrl} does not answer any more: the backup goes on when it does, and waits for 3 minutes`);
    }
    if (now - this.#since >= LONGEST_MS) return false;
    this.#pause ??= delay(this.#clock, PAUSE_MS, runCancellation()).then(
      () => this.#goOn(true),
      () => this.#goOn(false),
    );
    return this.#pause;
  }

  #goOn(mayRepeat: boolean): boolean {
    this.#pause = undefined;
    return mayRepeat;
  }
}
