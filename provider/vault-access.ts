import { resolve } from "node:path";
import type { KeyVaultClient } from "./keyvault/client.js";
import { EMBEDDED } from "./object-address.js";
import { vaultSettings } from "./vault-settings.js";

const clients = new Map<string, Promise<KeyVaultClient>>();

/** The client of a vault, one per vault and process, so that its connections, tokens and limits are shared. */
export function vaultClient(vaultUrl: string): Promise<KeyVaultClient> {
  const existing = clients.get(vaultUrl);
  if (existing) return existing;
  const opening = vaultUrl.startsWith(EMBEDDED) ? openEmbedded(vaultUrl) : openRemote(vaultUrl);
  clients.set(vaultUrl, opening);
  opening.catch(() => clients.delete(vaultUrl));
  return opening;
}

async function openRemote(vaultUrl: string): Promise<KeyVaultClient> {
  const { KeyVaultClient } = await import("./keyvault/client.js");
  const { tokenSource } = await import("./keyvault/credential.js");
  return new KeyVaultClient({ vaultUrl, credential: tokenSource(vaultSettings().credential) });
}

/** `embedded:./dev.vault` is a vault in this process on a SQLite file; `embedded:memory` one that ends with it. */
async function openEmbedded(vaultUrl: string): Promise<KeyVaultClient> {
  const { KeyVaultClient } = await import("./keyvault/client.js");
  const { startEmulator } = await import("../emulator/index.js");
  const store = vaultUrl.slice(EMBEDDED.length);
  const emulator = await startEmulator({ timing: "short", ...(store === "memory" ? {} : { store: resolve(store) }) });
  emulator.unref();
  process.stderr.write(
    `${vaultUrl} is an embedded vault, for development: its keys are in a local file, unencrypted\n`,
  );
  return new KeyVaultClient({
    vaultUrl: emulator.url,
    credential: { getToken: async () => ({ token: emulator.token, expiresOn: new Date(Date.now() + 3_600_000) }) },
  });
}
