import type { Simulation } from "../simulation.js";

/** What stands in for a part of the provider or the vault asks here which history is being simulated. */
export const world: { simulation: Simulation | undefined; blobs: number } = { simulation: undefined, blobs: 0 };
