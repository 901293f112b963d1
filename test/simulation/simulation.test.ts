import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { history, type Step } from "./history.js";
import { Simulation } from "./simulated-program.js";

const world = vi.hoisted(() => ({ simulation: undefined as { client(): unknown } | undefined }));

vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => world.simulation?.client() }));
// What is waited for tells nobody anything here; and a digest that is slow by intent would be most of the time.
vi.mock("../../provider/engine/progress.js", async (original) => ({ ...(await original<object>()), tell: () => {} }));
vi.mock("../../provider/secret/value-digest.js", () => ({
  valueDigest: async (vaultUrl: string, name: string, value: string) =>
    `scrypt:${createHash("sha256").update(`${vaultUrl}/${name}/${value}`).digest("base64url")}`,
}));

async function simulated(steps: readonly Step[]): Promise<string[]> {
  const simulation = new Simulation();
  world.simulation = simulation;
  try {
    await simulation.run(steps);
    if (simulation.broken) throw simulation.broken;
    return simulation.journal;
  } finally {
    simulation.close();
  }
}

const seed = Number(process.env.SIMULATION_SEED ?? 1);
const numRuns = Number(process.env.SIMULATION_RUNS ?? 2_000);
const path = process.env.SIMULATION_PATH;

it("keeps every promise, whatever goes wrong in whatever order", async () => {
  const property = fc.asyncProperty(history, async (steps) => void (await simulated(steps)));
  await fc.assert(property, { seed, numRuns, ...(path === undefined ? {} : { path }) });
}, 3_600_000);

it("gives the same requests for the same history", async () => {
  for (const steps of fc.sample(history, { seed: 7, numRuns: 20 })) {
    expect(await simulated(steps)).toEqual(await simulated(steps));
  }
});
