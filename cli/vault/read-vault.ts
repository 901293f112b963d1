import { inParallel } from "../../provider/engine/worker-pool.js";
import type { ReadKey } from "../../provider/key/adopt-key.js";
import type { KeyVaultClient, PageOptions } from "../../provider/keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../../provider/keyvault/errors.js";
import { isValidObjectName } from "../../provider/keyvault/identifier.js";
import type { SecretBundle } from "../../provider/keyvault/secret-bundle.js";
import { currentSecretVersion } from "../../provider/secret/secret-object.js";
import type { ListedCollection, NameFilter } from "./name-filter.js";
import { oddLines, strangeAnswer, type UnreadObject, unreadObject } from "./unread-object.js";

/** An object that is not adopted, and why. */
export interface LeftOut {
  collection: ListedCollection;
  name: string;
  reason: "deleted" | "certificate" | "known";
  recoverableUntil?: Date;
}

export interface FoundVault {
  keys: ReadKey[];
  secrets: SecretBundle[];
  leftOut: LeftOut[];
  /** What is there and could not be read, or of which a part could not. */
  unread: UnreadObject[];
  /** True where rotation policies may not be read. */
  isPolicyHidden: boolean;
  /** Set once so many rotation policies were not to be had that no other is asked for. */
  lostPolicy?: UnreadObject;
}

const PARALLEL = 16;
/** A server without rotation policies may answer each read of one with 5xx: it keeps a command no longer than that. */
const POLICY_TIMEOUT_MS = 20_000;
/** After so many policies that were not to be had, no other is asked for: each would take the time of its repetitions. */
const MOST_UNREAD_POLICIES = 3;

/**
 * Reads what a vault holds: the lists once, and each object's current version. Writes nothing, and reads no value
 * of a secret.
 */
export async function readVault(
  client: KeyVaultClient,
  filter: NameFilter,
  isKnown: (collection: ListedCollection, name: string) => boolean,
): Promise<FoundVault> {
  const found: FoundVault = { keys: [], secrets: [], leftOut: [], unread: [], isPolicyHidden: false };
  if (filter.admits("keys")) {
    const odd = oddLines("keys", found.unread, (name) => !filter.matches("keys", name));
    const names = await wanted("keys", client.getKeys(odd), filter, isKnown, found);
    await addDeleted("keys", client.getDeletedKeys(odd), filter, found);
    found.keys = await readAll("keys", names, found, (name) => readKey(client, name, found));
  }
  if (filter.admits("secrets") && client.plane === "vault") {
    const odd = oddLines("secrets", found.unread, (name) => !filter.matches("secrets", name));
    const names = await secretNames(client, filter, isKnown, found, odd);
    if (names === undefined) return found;
    await addDeleted("secrets", client.getDeletedSecrets(odd), filter, found);
    found.secrets = await readAll("secrets", names, found, (name) => readSecret(client, name));
  }
  return found;
}

/** An object that cannot be read is named and does not keep the others. */
async function readAll<T>(
  collection: ListedCollection,
  names: readonly string[],
  { unread }: FoundVault,
  read: (name: string) => Promise<T>,
): Promise<T[]> {
  const objects = await inParallel(names, PARALLEL, async (name) => {
    try {
      return [await read(name)];
    } catch (error) {
      unread.push(unreadObject(collection, name, error));
      return [];
    }
  });
  return objects.flat();
}

/** A Managed HSM under another host name has no secrets, and says 404 to their list. */
async function secretNames(
  client: KeyVaultClient,
  filter: NameFilter,
  isKnown: (collection: ListedCollection, name: string) => boolean,
  found: FoundVault,
  odd: PageOptions,
): Promise<string[] | undefined> {
  try {
    return await wanted("secrets", client.getSecrets(odd), filter, isKnown, found);
  } catch (error) {
    if (filter.admits("keys") && isKeyVaultError(error, "KV_NOT_FOUND")) return undefined;
    throw error;
  }
}

async function wanted(
  collection: ListedCollection,
  items: AsyncIterable<{ name: string; managed: boolean }>,
  filter: NameFilter,
  isKnown: (collection: ListedCollection, name: string) => boolean,
  { leftOut, unread }: FoundVault,
): Promise<string[]> {
  const names: string[] = [];
  const listed = new Set<string>();
  for await (const { name, managed } of items) {
    if (!filter.matches(collection, name)) continue;
    if (listed.has(name.toLowerCase())) continue;
    listed.add(name.toLowerCase());
    if (!isValidObjectName(name)) {
      unread.push(unreadObject(collection, name, strangeAnswer(collection, name, "is listed under no valid name")));
      continue;
    }
    if (managed) leftOut.push({ collection, name, reason: "certificate" });
    else if (isKnown(collection, name)) leftOut.push({ collection, name, reason: "known" });
    else names.push(name);
  }
  return names;
}

async function addDeleted(
  collection: ListedCollection,
  items: AsyncIterable<{ name: string; scheduledPurgeDate?: Date }>,
  filter: NameFilter,
  { leftOut }: FoundVault,
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

async function readKey(client: KeyVaultClient, name: string, found: FoundVault): Promise<ReadKey> {
  const bundle = await client.getKey(name);
  if (bundle.name.toLowerCase() !== name.toLowerCase()) {
    throw strangeAnswer("keys", name, "is answered with another key");
  }
  if (found.isPolicyHidden) return { bundle, rotationPolicy: undefined };
  if (found.lostPolicy) {
    found.unread.push({ ...found.lostPolicy, name });
    return { bundle, rotationPolicy: undefined };
  }
  try {
    const rotationPolicy = await client.getKeyRotationPolicy(name, { timeoutMs: POLICY_TIMEOUT_MS });
    return { bundle, rotationPolicy };
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    if (error.code === "KV_FORBIDDEN") found.isPolicyHidden = true;
    else if (error.code !== "KV_NOT_FOUND" && error.code !== "KV_INVALID_INPUT") {
      found.unread.push(unreadObject("keys", name, error, "rotation policy"));
      noteLostPolicy(found);
    }
    return { bundle, rotationPolicy: undefined };
  }
}

function noteLostPolicy(found: FoundVault): void {
  const lost = found.unread.filter(({ part, code }) => part === "rotation policy" && code === "KV_UNAVAILABLE");
  if (lost[0] && lost.length >= MOST_UNREAD_POLICIES) found.lostPolicy = lost[0];
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
    if (item.name.toLowerCase() !== name.toLowerCase()) {
      throw strangeAnswer("secrets", name, "is answered with another secret");
    }
    isTied = newest !== undefined && age === 0;
    newest = { ...item, version };
  }
  if (newest && !isTied) return newest;
  const current = await currentSecretVersion(client, name);
  if (!current)
    throw new KeyVaultError("KV_NOT_FOUND", `secret "${name}" in ${client.vaultUrl} is gone since it was listed`);
  const { value: _unwanted, ...rest } = current;
  return rest;
}
