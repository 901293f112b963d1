import { answeredBlob } from "../backup/answered-blob.js";
import { type CoveredVersion, coveredVersion } from "../backup/covered-version.js";
import { formatElapsed } from "../engine/progress.js";
import { ProgressLine } from "../engine/progress-line.js";
import { runClock } from "../engine/run-clock.js";
import { inParallel } from "../engine/worker-pool.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import type { Clock } from "../keyvault/clock.js";
import { isKeyVaultError, type KeyVaultErrorCode } from "../keyvault/errors.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { OutageCount, PARALLEL_OBJECTS } from "../vault/many-objects.js";
import type { BackupShelf } from "./blob-store.js";
import { type ByKind, byKind, type Collection, itemLabel, kindOf } from "./by-kind.js";
import { OutageWait } from "./outage-wait.js";
import { observe, type SelectedObject } from "./selected-objects.js";

export interface BackupJob {
  collection: Collection;
  object: SelectedObject;
}

export interface Taken {
  covered: ByKind<CoveredVersion>;
  failed: ByKind<string>;
  count: number;
  /** There when the vault was looked at, and not when their backup was asked for. */
  vanished: { collection: Collection; name: string }[];
  /** Of the objects that failed. */
  firstFailure?: unknown;
}

const WORD_EVERY_MS = 10_000;

/** Of a folder that cannot be written. */
const UNWRITABLE: KeyVaultErrorCode = "KV_INVALID_INPUT";
const LONGEST_REASON = 300;

/** Takes many backups in parallel. One that fails is recorded by name and does not keep the others. */
export async function takeBackups(
  client: KeyVaultClient,
  shelf: BackupShelf,
  jobs: readonly BackupJob[],
  clock: Clock = runClock,
): Promise<Taken> {
  const taken: Taken = { covered: byKind(), failed: byKind(), count: 0, vanished: [] };
  const progress = new ProgressLine(jobs.length, {
    everyMs: WORD_EVERY_MS,
    now: () => performance.now(),
    line: (done, elapsed) => `backing up ${client.vaultUrl}: ${done} of ${jobs.length} (${formatElapsed(elapsed)})`,
  });
  const outages = new OutageCount();
  let outage: unknown;

  const wait = new OutageWait(client.vaultUrl, clock);

  const blobOf = async ({ collection, object: { name, ...seen } }: BackupJob) => {
    for (;;) {
      try {
        // Looked at before it is taken: a change in between makes the blob newer than it says, and is taken once more.
        const { version, updatedOn } =
          seen.version === undefined ? await observe(client, collection, name) : { ...seen, version: seen.version };
        const blob = await new OperationDeadline(undefined, clock).whileBusy(
          `${itemLabel(collection, name)} to be free`,
          () => (collection === "keys" ? client.backupKey(name) : client.backupSecret(name)),
        );
        wait.end();
        const covered = coveredVersion(version, updatedOn);
        return { covered, blob: answeredBlob(kindOf(collection), name, client.vaultUrl, blob) };
      } catch (error) {
        if (!(await wait.mayRepeatAfter(error))) throw error;
      }
    }
  };

  const takeOne = async (job: BackupJob): Promise<void> => {
    const { collection } = job;
    const { name } = job.object;
    let isTaken = false;
    try {
      const { covered, blob } = await blobOf(job);
      isTaken = true;
      await shelf.put(collection, name, blob, covered);
      taken.covered[collection][name] = covered;
      taken.count++;
      outages.succeeded();
    } catch (error) {
      if (isKeyVaultError(error, "KV_NOT_FOUND")) {
        taken.vanished.push({ collection, name });
        return;
      }
      taken.failed[collection][name] = reasonOf(error);
      taken.firstFailure ??= error;
      // A disk that is full takes none of the others either.
      if (outages.failed(error, isTaken && isKeyVaultError(error, UNWRITABLE))) outage ??= error;
    }
  };

  await inParallel(jobs, PARALLEL_OBJECTS, async (job) => {
    if (outage === undefined) await takeOne(job);
    else taken.failed[job.collection][job.object.name] = "not tried, after too many failures in a row";
    progress.step();
  });
  return taken;
}

/** All that failed, by name, within what a person reads. */
export function describeFailures(failed: ByKind<string>): string {
  const lines = [
    ...Object.entries(failed.keys).map(([name, reason]) => `${itemLabel("keys", name)}: ${reason}`),
    ...Object.entries(failed.secrets).map(([name, reason]) => `${itemLabel("secrets", name)}: ${reason}`),
  ];
  const shown = lines.slice(0, 20).join("\n  ");
  return `\n  ${shown}${lines.length > 20 ? `\n  and ${lines.length - 20} more` : ""}`;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message.replace(/\s+/g, " ") : "failed for an unknown reason";
  return message.length > LONGEST_REASON ? `${message.slice(0, LONGEST_REASON)}…` : message;
}
