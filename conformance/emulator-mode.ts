import type { Recording, Verdict } from "./recording.js";
import { Replay } from "./replay.js";
import { scenarioOf } from "./scenario.js";
import { Stage } from "./stage.js";
import { setupsOf } from "./vault-setup.js";

/**
 * Sends the recorded requests to a fresh emulator and compares what it answers with what the service answered. State
 * that the recording does not create is made before, by the rules of `plan.ts`.
 */
export async function replayInEmulatorMode(recording: Recording): Promise<Verdict> {
  const scenario = scenarioOf(recording);
  if ("reason" in scenario) return { status: "skipped", reason: scenario.reason };
  const stage = await Stage.open(setupsOf(scenario), scenario.startsAt);
  try {
    const failures = await new Replay(scenario, stage).run();
    return failures.length === 0 ? { status: "passed" } : { status: "failed", failures };
  } finally {
    await stage.close();
  }
}
