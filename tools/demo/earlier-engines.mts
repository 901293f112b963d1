import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

const lockSchema = z.looseObject({ pid: z.number().int().positive() });
const PATIENCE_MS = 30_000;
const LOOK_AGAIN_MS = 250;

/**
 * Waits for an engine that outlived its demo, as one does whose terminal was closed: it would write its state into
 * the folder of the next demo. The engine's own lock file tells its process.
 */
export async function waitForEarlierEngines(demoFolder: string, say: (line: string) => void): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let isTold = false;
  for (;;) {
    const pids = await runningEngines(demoFolder);
    if (pids.length === 0 || Date.now() > deadline) return;
    if (!isTold)
      say(`An engine of an interrupted demo is still at work (process ${pids.join(", ")}); waiting for its end.`);
    isTold = true;
    await delay(LOOK_AGAIN_MS);
  }
}

async function runningEngines(demoFolder: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const file of glob("state/.pulumi/locks/**/*.json", { cwd: demoFolder })) {
    const pid = await readFile(join(demoFolder, file), "utf8")
      .then((text) => lockSchema.parse(JSON.parse(text)).pid)
      .catch(() => undefined);
    if (pid !== undefined && isRunning(pid)) pids.push(pid);
  }
  return pids;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
