import { parseTimeout } from "../engine/duration.js";
import { engineTimeout } from "../engine/engine-timeout.js";
import { formatElapsed, tell } from "../engine/progress.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { runClock } from "../engine/run-clock.js";
import type { CallOptions } from "../keyvault/client.js";
import { type Clock, delay } from "../keyvault/clock.js";
import { isKeyVaultError, KeyVaultError, type KeyVaultErrorCode } from "../keyvault/errors.js";
import { isWrite } from "../keyvault/operations.js";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const FIRST_WORD_AFTER_MS = 5_000;
const WORD_EVERY_MS = 30_000;
const OUT_OF_REACH_MS = 2 * 60_000;
/** What one request has even where the time is up: enough for the look that tells what became of a write. */
const SHORTEST_CALL_MS = 2_000;

/** Pauses that grow, within an operation's time. */
export interface Pauses {
  /**
   * Pauses, for as long as the service asks for at least; false where no time is left for it.
   *
   * @param awaited undefined where what is waited for is told elsewhere.
   */
  next(awaited: string | undefined, atLeastMs?: number): Promise<boolean>;
}

/**
 * The time that one operation of a resource has, from its `timeouts`, else from Pulumi's `customTimeouts`. Waits for what the service does in its own
 * time (deletion, recovery, purging), with pauses that grow, and says what it waits for: after 5 seconds, then
 * every 30.
 */
export class OperationDeadline {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #timeoutMs: number;
  readonly #isLimited: boolean;
  #nextWord = FIRST_WORD_AFTER_MS;
  readonly #pauses: Pauses;

  constructor(timeout: string | undefined, clock: Clock = runClock) {
    this.#clock = clock;
    this.#start = clock.now();
    const limit = timeout === undefined ? engineTimeout() : parseTimeout(timeout);
    this.#timeoutMs = limit ?? DEFAULT_TIMEOUT_MS;
    this.#isLimited = limit !== undefined;
    this.#pauses = this.pauses();
  }

  /** For each request: the time that is left where the resource limits it, else the client's own budget. */
  get call(): CallOptions {
    if (!this.#isLimited) return {};
    return { timeoutMs: Math.max(this.#timeoutMs - this.elapsed(), SHORTEST_CALL_MS) };
  }

  /** The engine has cancelled the run, and nothing is waited for any more. */
  get isCancelled(): boolean {
    return runCancellation().aborted;
  }

  elapsed(): number {
    return this.#clock.now() - this.#start;
  }

  /** A series of pauses of its own, that starts short. */
  pauses(): Pauses {
    let pause = FIRST_PAUSE_MS;
    return {
      next: async (awaited, atLeastMs = 0) => {
        const elapsed = this.elapsed();
        const wait = Math.max(pause, atLeastMs);
        if (elapsed + wait > this.#timeoutMs || this.isCancelled) return false;
        if (awaited !== undefined && elapsed >= this.#nextWord) {
          tell(`waiting for ${awaited} (${formatElapsed(elapsed)})`);
          this.#nextWord = elapsed + WORD_EVERY_MS;
        }
        const untilWord = awaited === undefined ? wait : this.#nextWord - elapsed;
        try {
          await delay(this.#clock, Math.max(Math.min(wait, untilWord), atLeastMs), runCancellation());
        } catch {
          return false;
        }
        pause = Math.min(pause * 1.6, LONGEST_PAUSE_MS);
        return true;
      },
    };
  }

  /**
   * Pauses before another look.
   *
   * @param awaited what is waited for, such as `the deletion of key "orders" in https://v.vault.azure.net`.
   * @throws KeyVaultError `KV_TIMEOUT` where no time is left. It keeps the words of the last answer.
   */
  async pause(awaited: string, cause?: unknown): Promise<void> {
    const asked = isKeyVaultError(cause) ? cause.retryAfterMs : undefined;
    // A throttled vault, and one out of reach, are told once for all that wait for them.
    const isToldForAll = isKeyVaultError(cause, "KV_THROTTLED") || isUnsent(cause);
    if (await this.#pauses.next(isToldForAll ? undefined : awaited, asked)) return;
    if (this.isCancelled) {
      throw new KeyVaultError("KV_TIMEOUT", `stopped waiting for ${awaited}: the run was cancelled`, {
        hint: "run `pulumi up` again: it looks before it writes",
        cause,
      });
    }
    const answer = isKeyVaultError(cause) ? ` (the last answer: ${cause.message})` : "";
    throw new KeyVaultError("KV_TIMEOUT", `waited ${formatElapsed(this.elapsed())} for ${awaited}${answer}`, {
      hint: "run again, or give the operation more time with the resource's timeouts",
      cause,
    });
  }

  /**
   * Repeats a call for as long as a refusal says that the object, or the vault, is busy and nothing was done; where the
   * vault cannot be reached, for two minutes.
   */
  async whileBusy<T>(awaited: string, call: () => Promise<T>): Promise<T> {
    let outOfReachSince: number | undefined;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isBusy(error)) throw error;
        outOfReachSince = isUnsent(error) ? (outOfReachSince ?? this.elapsed()) : undefined;
        if (this.elapsed() - (outOfReachSince ?? this.elapsed()) > OUT_OF_REACH_MS) throw error;
        await this.pause(awaited, error);
      }
    }
  }

  /** Looks again until something is there. */
  async until<T>(awaited: string, look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await this.pause(awaited);
    }
  }
}

/**
 * A definite refusal that passes by itself: the object is being deleted, recovered or purged, somebody else writes it
 * at this moment, the vault is throttled, or a write did not reach it. Nothing was done, so the same may be asked again
 * after a look.
 */
export function isBusy(error: unknown): error is KeyVaultError {
  if (!isKeyVaultError(error) || error.mayHaveHappened) return false;
  return PASSING.has(error.code) || isUnsent(error);
}

/** A write that cannot have happened: it did not leave, as in an outage. The look that follows waits for the vault. */
function isUnsent(error: unknown): boolean {
  return (
    isKeyVaultError(error) &&
    !error.mayHaveHappened &&
    UNSENT.has(error.code) &&
    error.retryable &&
    isWrite(error.operation)
  );
}

const PASSING: ReadonlySet<KeyVaultErrorCode> = new Set(["KV_BUSY", "KV_CONFLICT", "KV_THROTTLED"]);
const UNSENT: ReadonlySet<KeyVaultErrorCode> = new Set(["KV_TRANSPORT", "KV_UNAVAILABLE", "KV_TIMEOUT"]);

/** What a call gives, or undefined where the object is not there. Any other failure is passed on: it is no absence. */
export async function ifPresent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) return undefined;
    throw error;
  }
}
