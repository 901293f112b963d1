import type { KeyPair } from "../../../emulator/keys/generate-key.js";
import { pooledPair } from "../key-pool.js";
import { world } from "./simulated-world.js";

export * from "../../../emulator/keys/generate-key.js";

/** The vault's keys are made once. */
export function generateKeyNow(): KeyPair {
  return pooledPair(world.simulation?.newKeyIndex() ?? 0);
}

export async function generateKey(): Promise<KeyPair> {
  return generateKeyNow();
}
