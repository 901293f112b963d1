import { onTestFinished, vi } from "vitest";
import type { Emulator } from "../../emulator/index.js";
import { forgetCancellation } from "../../provider/engine/run-cancellation.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import type { Clock } from "../../provider/keyvault/clock.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { typeOf } from "./providers.js";

/** Whose the resources of these tests are, as the SDK tells it. */
export const STACK = { project: "shop", stack: "prod" };

/** The identity that the SDK hands to `check` beside the arguments. */
export function identity(name = "orders", type = "Key", { project, stack } = STACK) {
  const urn = `urn:pulumi:${stack}::${project}::${typeOf(type)}::${name}`;
  return { claimant: urn, owner: { project, stack, urn } };
}

/** The environment of a provider that serves one run of the engine against a vault. It ends with the test. */
export function startEngineRun(vault: Emulator): void {
  vi.stubEnv("KEYVAULT_TOKEN", vault.token);
  vi.stubEnv("KEYVAULT_CREDENTIAL", "token");
  useRunClock(hurried((ms) => vault.clock.advance(ms)));
  nextEngineRun();
  onTestFinished(endEngineRun);
}

/** Another run is another process: it knows of the program only what it checks itself. */
export function nextEngineRun(): void {
  forgetCancellation();
  forgetDeclaredObjects();
}

/**
 * A clock on which every wait ends at once, and has taken its time all the same.
 *
 * @param moved what goes on in the world meanwhile; the wait ends when it is done.
 */
export function hurried(moved: (ms: number) => unknown = () => {}): Clock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    random: () => 0.5,
    schedule(ms, callback) {
      let isCancelled = false;
      const turn = setImmediate(async () => {
        ahead += ms;
        await moved(ms);
        if (!isCancelled) callback();
      });
      return () => {
        isCancelled = true;
        clearImmediate(turn);
      };
    },
  };
}

function endEngineRun(): void {
  vi.unstubAllEnvs();
  useRunClock();
  forgetDeclaredObjects();
}
