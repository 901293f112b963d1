import { statSync } from "node:fs";
import { warn } from "../engine/progress.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { vaultSettings } from "../engine/vault-settings.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import type { TokenSource } from "../keyvault/token-source.js";
import { tellOutage, tellThrottled } from "./tell-outage.js";
import { isFirstInRun } from "./told-once.js";
import { embeddedFile, isEmbedded, vaultIdentity } from "./vault-identity.js";

type Clients = Map<string, Promise<KeyVaultClient>>;

const clients: Clients = new Map();
const clientsOfSource = new WeakMap<TokenSource, Clients>();

/** A vault, and who asks it. */
export interface VaultReference {
  vaultUrl: string;
  /** A name as `keyvault:credential` takes it, or a source of tokens. Default: as the stack says. */
  credential?: string | TokenSource | undefined;
  /** Whether an embedded vault is made where its file is not there yet: to make an object, and never to read. */
  mayMakeVault?: boolean | undefined;
}

/** The client of a vault, one per vault, credential and process, so that its connections, tokens and limits are shared. */
export function vaultClient({
  vaultUrl,
  credential = vaultSettings().credential,
  mayMakeVault = false,
}: VaultReference): Promise<KeyVaultClient> {
  const isLocal = isEmbedded(vaultUrl);
  const shared = isLocal || typeof credential === "string" ? clients : clientsOf(credential);
  // Two spellings of one embedded vault must not open its file twice.
  const vault = vaultIdentity(vaultUrl);
  const { credentials = "", apiVersion } = vaultSettings();
  const key =
    isLocal || typeof credential !== "string" ? vault : [vault, apiVersion, credential, credentials].join(" ");
  const existing = shared.get(key);
  if (existing) return existing;
  if (isLocal && !mayMakeVault && isMissing(vaultUrl)) return emptyVault(vaultUrl);
  const opening = isLocal ? openEmbedded(vaultUrl, embeddedFile(vaultUrl)) : openRemote(vaultUrl, credential);
  shared.set(key, opening);
  opening.catch(() => shared.delete(key));
  return opening;
}

function clientsOf(source: TokenSource): Clients {
  const known = clientsOfSource.get(source) ?? new Map();
  clientsOfSource.set(source, known);
  return known;
}

async function openRemote(vaultUrl: string, credential: string | TokenSource): Promise<KeyVaultClient> {
  const { KeyVaultClient } = await import("../keyvault/client.js");
  const { tokenSource } = await import("../sign-in/credential.js");
  const { allowedDomains, credentials: entries, apiVersion } = vaultSettings();
  return new KeyVaultClient({
    vaultUrl,
    credential: typeof credential === "string" ? await tokenSource(credential, { entries }) : credential,
    allowedDomains,
    apiVersion,
    stop: runCancellation,
    onOutage: () => tellOutage(vaultUrl),
    onThrottled: () => tellThrottled(vaultUrl),
  });
}

const emptyVaults: Clients = new Map();

/** The file of an embedded vault is made by the first object that is made in it. */
function isMissing(vaultUrl: string): boolean {
  const file = embeddedFile(vaultUrl);
  try {
    return file !== undefined && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;
  } catch {
    // Whatever keeps it from being looked at is told where it is opened.
    return false;
  }
}

/** A vault that is not there holds nothing: who reads it is told so, and its file is not made. */
function emptyVault(vaultUrl: string): Promise<KeyVaultClient> {
  const key = vaultIdentity(vaultUrl);
  const opened = emptyVaults.get(key) ?? openEmbedded(vaultUrl, undefined);
  if (!emptyVaults.has(key)) {
    const line = `${vaultUrl}: there is no embedded vault at this path, and nothing in it`;
    if (isFirstInRun(line)) warn(line);
    emptyVaults.set(key, opened);
  }
  return opened;
}

/** `embedded:./dev.vault` is a vault in this process on a SQLite file; `embedded:memory` one that ends with it. */
async function openEmbedded(vaultUrl: string, store: string | undefined): Promise<KeyVaultClient> {
  const { KeyVaultClient } = await import("../keyvault/client.js");
  const { startEmulator } = await import("../../emulator/index.js");
  const emulator = await startEmulator({ timing: "short", ...(store === undefined ? {} : { store }) });
  emulator.unref();
  if (store !== undefined || embeddedFile(vaultUrl) === undefined) {
    const where = store === undefined ? "end with this process" : "are in a local file, unencrypted";
    // Of the first one in a run: what holds of one holds of all.
    if (isFirstInRun("embedded")) warn(`${vaultUrl} is an embedded vault, for development: its keys ${where}`);
  }
  return new KeyVaultClient({
    vaultUrl: emulator.url,
    label: vaultUrl,
    stop: runCancellation,
    apiVersion: vaultSettings().apiVersion,
    credential: { getToken: async () => ({ token: emulator.token, expiresOn: new Date(Date.now() + 3_600_000) }) },
  });
}
