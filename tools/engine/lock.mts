import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

const SQLITE_BUSY = 5;
const LOOK_AGAIN_MS = 250;

/**
 * Runs `work` while no other process runs work under the same lock file.
 *
 * The lock is SQLite's lock on the file, which the operating system drops with the process that holds it: a killed
 * process leaves nothing to be taken over, and a process id that is used again misleads nobody.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    while (!acquire(lock)) {
      onWait();
      await delay(LOOK_AGAIN_MS);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function acquire(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
