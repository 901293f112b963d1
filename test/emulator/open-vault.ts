import { expect, onTestFinished } from "vitest";
import { type EmulatorOptions, startEmulator } from "../../emulator/index.js";
import { callerOf } from "./vault-caller.js";

/** An emulator for one test, with the wire to it; a fault inside of the emulator fails the test. */
export async function openVault(options: EmulatorOptions = {}) {
  const failures: unknown[] = [];
  const emulator = await startEmulator({ onFailure: (error) => failures.push(error), ...options });
  onTestFinished(() => emulator.close());
  const call = callerOf(emulator);
  return {
    emulator,
    failures,
    call: async (...given: Parameters<typeof call>) => {
      const answered = await call(...given);
      if (failures.length > 0) throw failures[0];
      return answered;
    },
  };
}

/** What a refusal has to say, for `toMatchObject`. */
export function refusal(status: number, code: string, message?: string | RegExp, innerCode?: string) {
  return {
    status,
    body: {
      error: {
        code,
        ...(message === undefined
          ? {}
          : { message: typeof message === "string" ? message : expect.stringMatching(message) }),
        ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }),
      },
    },
  };
}
