import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.mts";
import { elapsed, type Progress } from "./progress.mts";

/** One way to make what a folder of the cache is to hold. */
export interface Way<Source extends string> {
  source: Source;
  fill(target: string): Promise<void>;
}

export interface ProvidedFolder<Source extends string, Checked> {
  folder: string;
  source: Source | "cache";
  /** What the check found. */
  checked: Checked;
}

interface Options<Source extends string, Checked> {
  /** The folder of the cache that holds one folder for each version. */
  parent: string;
  name: string;
  /** As told to who waits for another process: `the Pulumi engine`. */
  title: string;
  /** As told while it is made: `Pulumi 3.274.1`. */
  version: string;
  /** Throws, with the reason, where something is missing or does not run. */
  check(folder: string): Promise<Checked>;
  ways: readonly Way<Source>[];
  progress: Progress;
  /** Collects why a way led nowhere. */
  attempts: string[];
}

const STAGING = ".staging-";

/**
 * The folder `name` of the cache: as it is there, or made by the first way that leads to it; undefined where none does.
 *
 * Safe to call from any number of processes at once: one does the work and the others wait for it. A folder enters the
 * cache whole, by a rename, after its check.
 */
export async function provideFolder<Source extends string, Checked>({
  parent,
  name,
  title,
  version,
  check,
  ways,
  progress,
  attempts,
}: Options<Source, Checked>): Promise<ProvidedFolder<Source, Checked> | undefined> {
  const folder = join(parent, name);
  const fromCache = async () => ({ folder, source: "cache" as const, checked: await check(folder) });
  const cached = await fromCache().catch((error: unknown) => noteAttempt(attempts, "in the cache", error));
  if (cached) return cached;

  await mkdir(parent, { recursive: true }).catch((error: unknown) => {
    throw new Error(`the cache folder ${parent} cannot be written: ${messageOf(error)}`);
  });
  const startedAt = Date.now();
  const onWait = () =>
    progress.update(`Another process is provisioning ${title}; waiting for it (${elapsed(startedAt)})`);
  return withLock(join(parent, `${name}.lock`), onWait, async () => {
    const madeMeanwhile = await fromCache().catch(() => undefined);
    if (madeMeanwhile) return madeMeanwhile;
    const stagingPrefix = `${STAGING}${name}-`;
    await removeLeftovers(parent, stagingPrefix);

    for (const { source, fill } of ways) {
      progress.say(`Provisioning ${version} from the ${source} (once; kept in ${parent})`);
      const staging = await mkdtemp(join(parent, stagingPrefix));
      try {
        await fill(staging);
        const checked = await check(staging);
        await rm(folder, { recursive: true, force: true });
        await rename(staging, folder);
        progress.say(`${version} is ready (${elapsed(startedAt)})`);
        return { folder, source, checked };
      } catch (error) {
        noteAttempt(attempts, `from the ${source}`, error);
        progress.say(`  not possible: ${messageOf(error)}`);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    }
    return undefined;
  });
}

export function noteAttempt(attempts: string[], where: string, error: unknown): undefined {
  attempts.push(`${where}: ${messageOf(error)}`);
}

/** What a killed process left. Whoever holds the lock may remove it: nobody else is at work on that folder. */
async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
