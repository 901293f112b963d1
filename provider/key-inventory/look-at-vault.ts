import picomatch from "picomatch";
import { formatMoment } from "../engine/input-check.js";
import { tell } from "../engine/progress.js";
import { inParallel } from "../engine/worker-pool.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
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

export interface VaultContents {
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

/**
 * Pages through a vault once, and once through its deleted keys. Needs keys/list; of each key it keeps what an inventory
 * needs of it and no more.
 */
export async function lookAtVault(client: KeyVaultClient, look: Look): Promise<VaultContents> {
  const isIgnored = look.ignore?.length ? picomatch([...look.ignore], { nocase: true }) : () => false;
  const contents: VaultContents = {
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
  contents: VaultContents,
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
  contents: VaultContents,
): Promise<void> {
  try {
    for await (const { name, deletedOn, scheduledPurgeDate } of client.getDeletedKeys()) {
      if (isIgnored(name)) continue;
      const moments = { ...(deletedOn && { deletedOn }), ...(scheduledPurgeDate && { scheduledPurgeDate }) };
      contents.deleted.set(name.toLowerCase(), { name, ...moments });
    }
  } catch (error) {
    // Vaults of old, without soft delete, refuse the list with 400: there is nothing in it.
    if (isKeyVaultError(error, "KV_INVALID_INPUT")) return;
    if (!isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
    contents.unread.push("softDeleted");
    contents.deleted.clear();
    tell(`the deleted keys of ${client.vaultUrl} may not be listed: the inventory goes on without them`);
  }
}

/** One request a key. */
async function lookAtRotation(client: KeyVaultClient, contents: VaultContents): Promise<void> {
  const watched = [...contents.seen.values()].filter(({ ofCertificate }) => !ofCertificate);
  try {
    const isRotated = await inParallel(watched, ROTATION_LANES, ({ name }) => rotates(client, name));
    contents.withoutRotation = watched.filter((_, index) => !isRotated[index]).map(({ name }) => name);
  } catch (error) {
    if (!isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
    contents.unread.push("withoutRotation");
    tell(
      `the rotation policies of ${client.vaultUrl} may not be read: ${formatPermissionHint("getKeyRotationPolicy", client.plane)}`,
    );
  }
}

/** A key that is deleted meanwhile has nothing to rotate. */
export async function rotates(client: KeyVaultClient, name: string): Promise<boolean> {
  try {
    const { lifetimeActions } = await client.getKeyRotationPolicy(name);
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
