import type { KeyVaultClient } from "../../../provider/keyvault/client.js";
import { world } from "./simulated-world.js";

export * from "../../../provider/vault/vault-access.js";

/** The client of the process that runs. */
export async function vaultClient({ vaultUrl }: { vaultUrl: string }): Promise<KeyVaultClient | undefined> {
  return world.simulation?.client(vaultUrl);
}
