import { parseTimeout } from "../engine/duration.js";
import { formatElapsed, tell } from "../engine/progress.js";
import type { CallOptions } from "../keyvault/client.js";
import { type Clock, delay, systemClock } from "../keyvault/clock.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const FIRST_WORD_AFTER_MS = 5_000;
const WORD_EVERY_MS = 30_000;
/** What one request has even where the time is up: enough for the look that tells what became of a write. */
const SHORTEST_CALL_MS = 2_000;

/**
 * The time that one operation of a resource has, from its `timeouts`. Waits for what the service does in its own
 * time (deletion, recovery, purging), with pauses that grow, and says what it waits for: after 5 seconds, then
 * every 30.
 */
export class OperationDeadline {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #timeoutMs: number;
  readonly #isLimited: boolean;
  #nextWord = FIRST_WORD_AFTER_MS;
  #pause = FIRST_PAUSE_MS;

  constructor(timeout: string | undefined, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#start = clock.now();
    const limit = timeout === undefined ? undefined : parseTimeout(timeout);
    this.#timeoutMs = limit ?? DEFAULT_TIMEOUT_MS;
    this.#isLimited = limit !== undefined;
  }

  /** For each request: the time that is left where the resource limits it, else the client's own budget. */
  get call(): CallOptions {
    if (!this.#isLimited) return {};
    return { timeoutMs: Math.max(this.#timeoutMs - this.#elapsed(), SHORTEST_CALL_MS) };
  }

  /**
   * Pauses before another look.
   *
   * @param awaited what is waited for, such as `the deletion of key "orders" in https://v.vault.azure.net`.
   * @throws KeyVaultError `KV_TIMEOUT` where no time is left.
   */
  async pause(awaited: string, cause?: unknown): Promise<void> {
    const elapsed = this.#elapsed();
    if (elapsed + this.#pause > this.#timeoutMs) {
      throw new KeyVaultError("KV_TIMEOUT", `waited ${formatElapsed(elapsed)} for ${awaited}`, {
        hint: "run again, or give the operation more time with the resource's timeouts",
        cause,
      });
    }
    if (elapsed >= this.#nextWord) {
      tell(`waiting for ${awaited} (${formatElapsed(elapsed)})`);
      this.#nextWord = elapsed + WORD_EVERY_MS;
    }
    await delay(this.#clock, Math.min(this.#pause, this.#nextWord - elapsed));
    this.#pause = Math.min(this.#pause * 1.6, LONGEST_PAUSE_MS);
  }

  #elapsed(): number {
    return this.#clock.now() - this.#start;
  }

  /** Repeats a call for as long as the service says that the object is being deleted, recovered or purged. */
  async whileBusy<T>(awaited: string, call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isKeyVaultError(error, "KV_BUSY")) throw error;
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

/** What a call gives, or undefined where the object is not there. Any other failure is passed on: it is no absence. */
export async function ifPresent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) return undefined;
    throw error;
  }
}
