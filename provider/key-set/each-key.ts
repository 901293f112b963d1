import { formatElapsed, tell } from "../engine/progress.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { runClock } from "../engine/run-clock.js";
import { inParallel } from "../engine/worker-pool.js";
import { isKeyVaultError, type KeyVaultErrorCode } from "../keyvault/errors.js";
import { isThrottled } from "../vault/tell-outage.js";

/** The client limits parallel calls by what the vault bears, up to this many; more would wait within their budgets. */
const PARALLEL = 64;
const FIRST_WORD_AFTER_MS = 3_000;
const WORD_EVERY_MS = 5_000;

/** Failures of the vault or the way to it rather than of one key: after so many in a row the rest is not tried. */
const OUTAGE: ReadonlySet<KeyVaultErrorCode> = new Set([
  "KV_UNAUTHENTICATED",
  "KV_FORBIDDEN",
  "KV_THROTTLED",
  "KV_UNAVAILABLE",
  "KV_TIMEOUT",
  "KV_TRANSPORT",
  "KV_PROTOCOL",
]);
const OUTAGE_AFTER = 10;

export interface KeyFailures {
  /** By name, in the order in which they came. */
  failed: Map<string, unknown>;
  /** What was not tried, and why. */
  untried: { names: string[]; reason: string } | undefined;
}

/**
 * Does the work of many keys in parallel. One that fails does not keep the others; a run that is cancelled, and a vault
 * that does not answer any more, end it.
 *
 * @param doing for the line that tells how far it is: `importing keys into https://v.vault.azure.net`.
 */
export async function forEachKey(
  names: readonly string[],
  { doing, vaultUrl }: { doing: string; vaultUrl: string },
  work: (name: string) => Promise<void>,
): Promise<KeyFailures> {
  const progress = new Progress(doing, vaultUrl, names.length);
  const failed = new Map<string, unknown>();
  const untried: string[] = [];
  let failuresInARow = 0;
  let hasOutage = false;
  await inParallel(names, PARALLEL, async (name) => {
    if (hasOutage || runCancellation().aborted) {
      untried.push(name);
      return;
    }
    try {
      await work(name);
      failuresInARow = 0;
    } catch (error) {
      failed.set(name, error);
      failuresInARow = isKeyVaultError(error) && OUTAGE.has(error.code) ? failuresInARow + 1 : 0;
      hasOutage ||= failuresInARow >= OUTAGE_AFTER;
    }
    progress.step();
  });
  const reason = runCancellation().aborted ? "the run was cancelled" : "too many failed in a row";
  return { failed, untried: untried.length > 0 ? { names: untried, reason } : undefined };
}

/** One line every few seconds. */
class Progress {
  readonly #doing: string;
  readonly #vaultUrl: string;
  readonly #total: number;
  readonly #start = runClock.now();
  #done = 0;
  #nextWord = FIRST_WORD_AFTER_MS;

  constructor(doing: string, vaultUrl: string, total: number) {
    this.#doing = doing;
    this.#vaultUrl = vaultUrl;
    this.#total = total;
  }

  step(): void {
    this.#done++;
    const elapsed = runClock.now() - this.#start;
    if (elapsed < this.#nextWord || this.#done === this.#total) return;
    const rate = this.#done / (elapsed / 1000);
    const left = this.#total - this.#done;
    const throttled = isThrottled(this.#vaultUrl) ? ", held back by the vault's limits" : "";
    tell(
      `${this.#doing}: ${this.#done} of ${this.#total} in ${formatElapsed(elapsed)}, ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} a second, ${left} left (about ${formatElapsed((left / rate) * 1000)}${throttled})`,
    );
    this.#nextWord = elapsed + WORD_EVERY_MS;
  }
}
