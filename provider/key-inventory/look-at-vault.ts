import { formatMoment } from "../engine/moment.js";
import { tell } from "../engine/progress.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { DeletedKeyItem, KeyItem } from "../keyvault/key-bundle.js";
import { withoutOwnerTag } from "../object/owner-tag.js";
import { parseGlob } from "../vault/name-glob.js";
import type { InventoryKey, NameList } from "./inventory-inputs.js";
import type { Expectation } from "./inventory-snapshot.js";
import { parsePeriod } from "./period.js";
import { lookAtRotation } from "./rotation-policies.js";

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
  /** A short digest of its rotation policy, where that was asked for and could be read. */
  rotation?: string;
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

/**
 * Pages through a vault once, and once through its deleted keys. Needs keys/list; of each key it keeps what an inventory
 * needs of it and no more.
 */
export async function lookAtVault(client: KeyVaultClient, look: Look): Promise<InventoryContents> {
  // What state has from before globs were checked may be none, and then matches nothing.
  const ignored = (look.ignore ?? []).flatMap((glob) => parseGlob(glob) ?? []);
  const isIgnored = (name: string): boolean => ignored.some((matches) => matches(name));
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

function listed(item: KeyItem): InventoryKey {
  const { name, enabled, createdOn, updatedOn, notBefore, expiresOn, managed } = item;
  const tags = withoutOwnerTag(item.tags);
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
