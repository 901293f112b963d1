import type { History } from "./history.js";
import { Simulation } from "./simulation.js";
import { world } from "./stand-ins/simulated-world.js";

/** One history from its first step until its program has come true. @returns its requests; fails where a promise is broken. */
export async function simulatedHistory(chosen: History): Promise<string[]> {
  const simulation = new Simulation(chosen);
  world.simulation = simulation;
  world.blobs = 0;
  try {
    await simulation.run(chosen.steps);
    return simulation.promises.journal;
  } catch (error) {
    if (simulation.promises.broken) throw simulation.promises.broken;
    throw new Error(
      `${error instanceof Error ? error.stack : String(error)}\n${simulation.promises.journal.join("\n")}`,
    );
  } finally {
    simulation.close();
  }
}
