import type { KeyPair } from "../../../emulator/keys/generate-key.js";
import { readImportedKey as reallyReadImportedKey } from "../../../emulator/keys/import-key.js";
import type { Vault } from "../../../emulator/vault.js";

export * from "../../../emulator/keys/import-key.js";

const read = new Map<string, KeyPair>();

/** Whether the numbers of a key belong together is worked out once. */
export function readImportedKey(vault: Vault, jwk: Record<string, unknown>): KeyPair {
  const name = JSON.stringify(jwk);
  const known = read.get(name);
  if (known !== undefined) return { public: { ...known.public }, material: { ...known.material } };
  const pair = reallyReadImportedKey(vault, jwk);
  read.set(name, pair);
  return pair;
}
