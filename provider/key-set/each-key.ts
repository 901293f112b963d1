import { formatElapsed } from "../engine/progress.js";
import { ProgressLine } from "../engine/progress-line.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { runClock } from "../engine/run-clock.js";
import { inParallel } from "../engine/worker-pool.js";
import { OutageCount, PARALLEL_OBJECTS } from "../vault/many-objects.js";
import { isThrottled } from "../vault/tell-outage.js";
import { RepeatedLines } from "./repeated-lines.js";

const WORD_EVERY_MS = 5_000;

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
  const progress = new ProgressLine(names.length, {
    everyMs: WORD_EVERY_MS,
    now: () => runClock.now(),
    line: (done, elapsed) => lineOf(doing, vaultUrl, names.length, done, elapsed),
  });
  const failed = new Map<string, unknown>();
  const untried: string[] = [];
  const outages = new OutageCount();
  const lines = new RepeatedLines();
  let hasOutage = false;
  await inParallel(names, PARALLEL_OBJECTS, async (name) => {
    if (hasOutage || runCancellation().aborted) {
      untried.push(name);
      return;
    }
    try {
      await lines.of(name, () => work(name));
      outages.succeeded();
    } catch (error) {
      failed.set(name, error);
      hasOutage = outages.failed(error) || hasOutage;
    }
    progress.step();
  });
  lines.end();
  const reason = runCancellation().aborted ? "the run was cancelled" : "too many failed in a row";
  return { failed, untried: untried.length > 0 ? { names: untried, reason } : undefined };
}

function lineOf(doing: string, vaultUrl: string, total: number, done: number, elapsed: number): string {
  const rate = done / (elapsed / 1000);
  const left = total - done;
  const throttled = isThrottled(vaultUrl) ? ", held back by the vault's limits" : "";
  return `${doing}: ${done} of ${total} in ${formatElapsed(elapsed)}, ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} a second, ${left} left (about ${formatElapsed((left / rate) * 1000)}${throttled})`;
}
