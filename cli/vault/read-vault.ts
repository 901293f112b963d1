import { inParallel } from "../../provider/engine/worker-pool.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import type { KeyBundle, KeyRotationPolicy } from "../../provider/keyvault/key-bundle.js";
import type { SecretBundle } from "../../provider/keyvault/secret-bundle.js";
import { currentSecretVersion } from "../../provider/secret/current-secret-version.js";
import type { Collection, NameFilter } from "./name-filter.js";

/** A key as adoption needs it. */
export interface FoundKey {
  bundle: KeyBundle;
  /** Undefined where the vault has none or does not tell it. */
  rotationPolicy: KeyRotationPolicy | undefined;
}

/** An object that is not adopted, and why. */
export interface LeftOut {
  collection: Collection;
  name: string;
  reason: "deleted" | "certificate" | "known";
  recoverableUntil?: Date;
}

export interface FoundVault {
  keys: FoundKey[];
  secrets: SecretBundle[];
  leftOut: LeftOut[];
  /** True where rotation policies may not be read. */
  isPolicyHidden: boolean;
}

const PARALLEL = 16;

/**
 * Reads what a vault holds: the lists once, and each object's current version. Writes nothing, and reads no value
 * of a secret.
 */
export async function readVault(
  client: KeyVaultClient,
  filter: NameFilter,
  isKnown: (collection: Collection, name: string) => boolean,
): Promise<FoundVault> {
  const found: FoundVault = { keys: [], secrets: [], leftOut: [], isPolicyHidden: false };
  if (filter.admits("keys")) {
    const names = await wanted("keys", client.getKeys(), filter, isKnown, found.leftOut);
    await addDeleted("keys", client.getDeletedKeys(), filter, found.leftOut);
    found.keys = await inParallel(names, PARALLEL, (name) => readKey(client, name, found));
  }
  if (filter.admits("secrets") && client.plane === "vault") {
    const names = await secretNames(client, filter, isKnown, found);
    if (names === undefined) return found;
    await addDeleted("secrets", client.getDeletedSecrets(), filter, found.leftOut);
    found.secrets = await inParallel(names, PARALLEL, (name) => readSecret(client, name));
  }
  return found;
}

/** A Managed HSM under another host name has no secrets, and says 404 to their list. */
async function secretNames(
  client: KeyVaultClient,
  filter: NameFilter,
  isKnown: (collection: Collection, name: string) => boolean,
  { leftOut }: FoundVault,
): Promise<string[] | undefined> {
  try {
    return await wanted("secrets", client.getSecrets(), filter, isKnown, leftOut);
  } catch (error) {
    if (filter.admits("keys") && isKeyVaultError(error, "KV_NOT_FOUND")) return undefined;
    throw error;
  }
}

async function wanted(
  collection: Collection,
  items: AsyncIterable<{ name: string; managed: boolean }>,
  filter: NameFilter,
  isKnown: (collection: Collection, name: string) => boolean,
  leftOut: LeftOut[],
): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, managed } of items) {
    if (!filter.matches(collection, name)) continue;
    if (managed) leftOut.push({ collection, name, reason: "certificate" });
    else if (isKnown(collection, name)) leftOut.push({ collection, name, reason: "known" });
    else names.push(name);
  }
  return names;
}

async function addDeleted(
  collection: Collection,
  items: AsyncIterable<{ name: string; scheduledPurgeDate?: Date }>,
  filter: NameFilter,
  leftOut: LeftOut[],
): Promise<void> {
  try {
    for await (const { name, scheduledPurgeDate } of items) {
      if (!filter.matches(collection, name)) continue;
      const until = scheduledPurgeDate ? { recoverableUntil: scheduledPurgeDate } : {};
      leftOut.push({ collection, name, reason: "deleted", ...until });
    }
  } catch (error) {
    // A vault without soft delete has no such list.
    if (!isKeyVaultError(error, "KV_INVALID_INPUT")) throw error;
  }
}

async function readKey(client: KeyVaultClient, name: string, found: FoundVault): Promise<FoundKey> {
  const bundle = await client.getKey(name);
  if (found.isPolicyHidden) return { bundle, rotationPolicy: undefined };
  try {
    return { bundle, rotationPolicy: await client.getKeyRotationPolicy(name) };
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    if (error.code === "KV_FORBIDDEN") found.isPolicyHidden = true;
    else if (error.code !== "KV_NOT_FOUND" && error.code !== "KV_INVALID_INPUT") throw error;
    return { bundle, rotationPolicy: undefined };
  }
}

/**
 * The list of versions tells all but the value, which is not wanted here. Moments are whole seconds: where two
 * versions share the newest, only the secret itself tells which is current.
 */
async function readSecret(client: KeyVaultClient, name: string): Promise<SecretBundle> {
  let newest: SecretBundle | undefined;
  let isTied = false;
  for await (const { version, ...item } of client.getSecretVersions(name)) {
    if (version === undefined) continue;
    const age = (item.createdOn?.getTime() ?? 0) - (newest?.createdOn?.getTime() ?? 0);
    if (newest && age < 0) continue;
    isTied = newest !== undefined && age === 0;
    newest = { ...item, version };
  }
  if (newest && !isTied) return newest;
  const { value: _unwanted, ...current } = await currentSecretVersion(client, name);
  return current;
}
