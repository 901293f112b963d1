import { runCancellation } from "../engine/run-cancellation.js";
import { runClock } from "../engine/run-clock.js";
import { delay } from "../keyvault/clock.js";
import { awaitsRecordedMark, declarationOf, lastDeclarationOn } from "../object/declared-objects.js";
import type { ObjectAddress } from "../vault/object-address.js";

const QUIET_MS = 2_000;
const LONGEST_MS = 30_000;
const LOOK_EVERY_MS = 100;

/**
 * Waits until the program has declared nothing more for two seconds, or all of these keys. The engine deletes resources
 * when the program has ended, but a key leaves its set in the middle of it: the Key or set that goes on with it may come
 * right behind, and a key that is deleted in between is out of use until it is recovered. One that had the key before a
 * run that failed gets its mark back, which the engine shows after its declaration.
 */
export async function restOfProgram(leaving: readonly ObjectAddress[]): Promise<void> {
  const start = runClock.now();
  const isOpen = () =>
    leaving.some((address) => declarationOf("key", address) === undefined || awaitsRecordedMark("key", address));
  while (isOpen() && runClock.now() - lastDeclarationOn() < QUIET_MS && runClock.now() - start < LONGEST_MS) {
    if (runCancellation().aborted) return;
    await delay(runClock, LOOK_EVERY_MS, runCancellation()).catch(() => undefined);
  }
}
