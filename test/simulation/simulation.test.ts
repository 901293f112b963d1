import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { type History, history } from "./history.js";
import type { Simulation as SimulationOf } from "./simulation.js";
import { Simulation } from "./simulation.js";
// What the provider loads with its first call takes real time, in which a simulated clock runs on.
import "../../provider/backup/recorded-backup.js";
import "../../provider/material/key-source.js";
import "../../provider/vault-backup/recorded-vault-backup.js";
import "../../provider/vault-backup/update-vault-backup.js";

const world = vi.hoisted(() => ({ simulation: undefined as SimulationOf | undefined, blobs: 0 }));

vi.mock("../../provider/vault/vault-access.js", () => ({
  vaultClient: async ({ vaultUrl }: { vaultUrl: string }) => world.simulation?.client(vaultUrl),
}));
vi.mock("../../provider/engine/progress.js", async (original) => ({
  ...(await original<object>()),
  tell: (line: string) => world.simulation?.promises.holdMessage(line),
}));
// A digest that is slow by intent would be most of the time.
vi.mock("../../provider/secret/value-digest.js", () => ({
  valueDigest: async (vaultUrl: string, name: string, value: string) =>
    `scrypt:${createHash("sha256").update(`${vaultUrl}/${name}/${value}`).digest("base64url")}`,
}));
// What the vault draws by chance follows from the seed, and its keys are made once.
vi.mock("../../emulator/object/new-version.js", async (original) => ({
  ...(await original<object>()),
  newVersionId: () => world.simulation?.newVersionId(),
}));
vi.mock("../../emulator/keys/generate-key.js", async (original) => {
  const { pooledPair } = await import("./key-pool.js");
  const next = () => pooledPair(world.simulation?.newKeyIndex() ?? 0);
  return { ...(await original<object>()), generateKey: async () => next(), generateKeyNow: next };
});
// Each backup of one object is other bytes, and none of them shows what is in it.
vi.mock("../../emulator/backup/compact-jwe.js", () => {
  const key = Buffer.alloc(32, 7);
  const encoded = (text: string) => Buffer.from(text).toString("base64url");
  return {
    sealJwe: (header: object, _key: unknown, plaintext: Buffer) => {
      const iv = Buffer.alloc(16);
      iv.writeUInt32BE(++world.blobs);
      const cipher = createCipheriv("aes-256-cbc", key, iv);
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return [
        encoded(JSON.stringify(header)),
        "",
        iv.toString("base64url"),
        ciphertext.toString("base64url"),
        "tag",
      ].join(".");
    },
    openJwe: (jwe: string) => {
      const [, , iv = "", ciphertext = ""] = jwe.split(".");
      const decipher = createDecipheriv("aes-256-cbc", key, Buffer.from(iv, "base64url"));
      return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64url")), decipher.final()]);
    },
  };
});

async function simulated(chosen: History): Promise<string[]> {
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

const seed = Number(process.env.SIMULATION_SEED ?? 1);
const numRuns = Number(process.env.SIMULATION_RUNS ?? 2_000);
const path = process.env.SIMULATION_PATH;
const shrinks = process.env.SIMULATION_SHRINKS !== "false";

it("keeps every promise, whatever goes wrong in whatever order", async () => {
  const property = fc.asyncProperty(history, async (chosen) => void (await simulated(chosen)));
  await fc.assert(property, { seed, numRuns, endOnFailure: !shrinks, ...(path === undefined ? {} : { path }) });
}, 36_000_000);

it("gives the same requests for the same history", async () => {
  for (const chosen of fc.sample(history, { seed: 7, numRuns: 20 })) {
    expect(await simulated(chosen)).toEqual(await simulated(chosen));
  }
});
