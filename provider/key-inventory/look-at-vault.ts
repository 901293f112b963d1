import picomatch from "picomatch";
import { formatMoment } from "../engine/moment.js";
import { tell } from "../engine/progress.js";
import { inParallel } from "../engine/worker-pool.js";
import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, type KeyVaultError } from "../keyvault/errors.js";
import type { DeletedKeyItem, KeyItem } from "../keyvault/key-bundle.js";
import { formatPermissionHint } from "../keyvault/permission-hint.js";
import type { InventoryKey, NameList } from "./inventory-inputs.js";
import type { Expectation } from "./inventory-snapshot.js";
import { parsePeriod } from "./period.js";

/** What to look for. */
export interface Look {
  expectationOf(name: string): Expectation | undefined;
  ignore?: readonly string[] | undefined;
  expiresWithin?: string | undefined;
  rotation?: boolean | undefined;
  includeKeys?: boolean | undefined;
}

/** A key that the inventory watches: any but ignored ones, and those of certificates that nobody expects. */
export interface SeenKey {
  name: string;
  expected: Expectation | undefined;
  enabled: boolean;
  /** Seconds since the epoch: when the current version was made. */
  created: number;
  expiresOn: Date | undefined;
  /** It expires within the time that was asked for, or has expired. */
  expiring: boolean;
  ofCertificate: boolean;
}

export interface InventoryContents {
  count: number;
  /** By name in lower case, in the vault's order. */
  seen: Map<string, SeenKey>;
  managedByCertificates: string[];
  deleted: Map<string, DeletedKey>;
  withoutRotation: string[];
  unread: NameList[];
  keys: InventoryKey[] | undefined;
}

export type DeletedKey = Pick<DeletedKeyItem, "name" | "deletedOn" | "scheduledPurgeDate">;

const ROTATION_LANES = 16;
/** A server without rotation policies may answer each of these with 5xx, and keeps an inventory no longer than that. */
const POLICY_TIMEOUT_MS = 20_000;
/** After so many policies that could not be read, no other is asked for. */
const MOST_UNREAD = 3;

/**
 * Pages through a vault once, and once through its deleted keys. Needs keys/list; of each key it keeps what an inventory
 * needs of it and no more.
 */
export async function lookAtVault(client: KeyVaultClient, look: Look): Promise<InventoryContents> {
  const isIgnored = look.ignore?.length ? picomatch([...look.ignore], { nocase: true }) : () => false;
  const contents: InventoryContents = {
    count: 0,
    seen: new Map(),
    managedByCertificates: [],
    deleted: new Map(),
    withoutRotation: [],
    unread: [],
    keys: look.includeKeys ? [] : undefined,
  };
  await Promise.all([lookAtKeys(client, look, isIgnored, contents), lookAtDeleted(client, isIgnored, contents)]);
  if (look.rotation) await lookAtRotation(client, contents);
  return contents;
}

async function lookAtKeys(
  client: KeyVaultClient,
  look: Look,
  isIgnored: (name: string) => boolean,
  contents: InventoryContents,
): Promise<void> {
  const period = look.expiresWithin === undefined ? undefined : parsePeriod(look.expiresWithin);
  const horizon = period === undefined ? undefined : Date.now() + period;
  for await (const item of client.getKeys()) {
    contents.count++;
    contents.keys?.push(listed(item));
    if (item.managed) contents.managedByCertificates.push(item.name);
    const expected = look.expectationOf(item.name);
    if (expected === undefined && (item.managed || isIgnored(item.name))) continue;
    contents.seen.set(item.name.toLowerCase(), {
      name: item.name,
      expected,
      enabled: item.enabled,
      created: Math.floor((item.createdOn?.getTime() ?? 0) / 1000),
      expiresOn: item.expiresOn,
      expiring: horizon !== undefined && item.expiresOn !== undefined && item.expiresOn.getTime() <= horizon,
      ofCertificate: item.managed,
    });
  }
}

async function lookAtDeleted(
  client: KeyVaultClient,
  isIgnored: (name: string) => boolean,
  contents: InventoryContents,
): Promise<void> {
  try {
    for await (const { name, deletedOn, scheduledPurgeDate } of client.getDeletedKeys()) {
      if (isIgnored(name)) continue;
      const moments = { ...(deletedOn && { deletedOn }), ...(scheduledPurgeDate && { scheduledPurgeDate }) };
      contents.deleted.set(name.toLowerCase(), { name, ...moments });
    }
  } catch (error) {
    if (!isKeyVaultError(error) || error.serviceCode === undefined) throw error;
    // Vaults of old, without soft delete, have nothing in it.
    if (error.status === 400 && error.serviceCode === "NotSupported") return;
    // Only the service's own words. What a proxy answers in its place says nothing of the vault.
    if (error.code !== "KV_FORBIDDEN") throw error;
    contents.unread.push("softDeleted");
    contents.deleted.clear();
    tell(`the deleted keys of ${client.vaultUrl} may not be listed: the inventory goes on without them`);
  }
}

/** One request a key. A policy that cannot be read is left out and told: it is optional, and ends no inventory. */
async function lookAtRotation(client: KeyVaultClient, contents: InventoryContents): Promise<void> {
  const watched = [...contents.seen.values()].filter(({ ofCertificate }) => !ofCertificate);
  const unread: string[] = [];
  let failure: KeyVaultError | undefined;
  const isRotated = await inParallel(watched, ROTATION_LANES, async ({ name }) => {
    // Where some cannot be read the others cannot either, and each would take the time of its repetitions.
    if (failure && (failure.code === "KV_FORBIDDEN" || unread.length >= MOST_UNREAD)) return undefined;
    try {
      return await rotates(client, name, { timeoutMs: POLICY_TIMEOUT_MS });
    } catch (error) {
      if (!isKeyVaultError(error, "KV_FORBIDDEN") && !isUnreadPolicy(error)) throw error;
      failure = failure?.code === "KV_FORBIDDEN" ? failure : error;
      unread.push(name);
      return undefined;
    }
  });
  contents.withoutRotation = watched.filter((_, index) => isRotated[index] === false).map(({ name }) => name);
  if (!failure) return;
  contents.unread.push("withoutRotation");
  if (failure.code === "KV_FORBIDDEN") {
    contents.withoutRotation = [];
    tell(
      `the rotation policies of ${client.vaultUrl} may not be read: ${formatPermissionHint("getKeyRotationPolicy", client.plane)}`,
    );
  } else {
    const count = isRotated.filter((rotated) => rotated === undefined).length;
    tell(`the rotation policies of ${count} keys of ${client.vaultUrl} are left out: ${failure.message}`);
  }
}

/** Failures that say nothing of the key and do not keep the vault from being listed. */
export function isUnreadPolicy(error: unknown): error is KeyVaultError {
  return isKeyVaultError(error, "KV_UNAVAILABLE") || isKeyVaultError(error, "KV_PROTOCOL");
}

/** A key that is deleted meanwhile has nothing to rotate. */
export async function rotates(client: KeyVaultClient, name: string, options?: CallOptions): Promise<boolean> {
  try {
    const { lifetimeActions } = await client.getKeyRotationPolicy(name, options);
    return lifetimeActions.some(({ action }) => action === "Rotate");
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) return true;
    throw error;
  }
}

function listed(item: KeyItem): InventoryKey {
  const { name, enabled, createdOn, updatedOn, notBefore, expiresOn, tags, managed } = item;
  return {
    name,
    enabled,
    ...(createdOn && { createdOn: formatMoment(createdOn) }),
    ...(updatedOn && { updatedOn: formatMoment(updatedOn) }),
    ...(notBefore && { notBefore: formatMoment(notBefore) }),
    ...(expiresOn && { expiresOn: formatMoment(expiresOn) }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(managed && { managed }),
  };
}
