import { formatMoment } from "../engine/moment.js";
import { tell } from "../engine/progress.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { DeletedKeyItem, KeyItem } from "../keyvault/key-bundle.js";
import type { SecretItem } from "../keyvault/secret-bundle.js";
import { withoutOwnerTag } from "../object/owner-tag.js";
import { parseGlob } from "../vault/name-glob.js";
import type { InventorySecret, NameList } from "./inventory-inputs.js";
import type { InventoryKind } from "./inventory-kind.js";
import type { Expectation } from "./inventory-snapshot.js";
import { parsePeriod } from "./period.js";
import { lookAtRotation } from "./rotation-policies.js";

/** What to look for. */
export interface Look {
  kind: InventoryKind;
  expectationOf(name: string): Expectation | undefined;
  ignore?: readonly string[] | undefined;
  expiresWithin?: string | undefined;
  rotation?: boolean | undefined;
  includeObjects?: boolean | undefined;
}

/** A key or secret that the inventory watches: any but ignored ones, and those of certificates that nobody expects. */
export interface SeenObject {
  name: string;
  expected: Expectation | undefined;
  enabled: boolean;
  /** Seconds since the epoch: when the current version was made. */
  created: number;
  expiresOn: Date | undefined;
  /** It expires within the time that was asked for, or has expired. */
  expiring: boolean;
  ofCertificate: boolean;
  /** A short digest of a key's rotation policy, where that was asked for and could be read. */
  rotation?: string;
}

export interface InventoryContents {
  count: number;
  /** By name in lower case, in the vault's order. */
  seen: Map<string, SeenObject>;
  managedByCertificates: string[];
  deleted: Map<string, DeletedObject>;
  withoutRotation: string[];
  unread: NameList[];
  objects: InventorySecret[] | undefined;
}

export type DeletedObject = Pick<DeletedKeyItem, "name" | "deletedOn" | "scheduledPurgeDate">;

/**
 * Pages once through the keys or the secrets of a vault, and once through its deleted ones. Needs keys/list or
 * secrets/list; of each it keeps what an inventory needs of it and no more.
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
    objects: look.includeObjects ? [] : undefined,
  };
  await Promise.all([
    lookAtObjects(client, look, isIgnored, contents),
    lookAtDeleted(client, look, isIgnored, contents),
  ]);
  if (look.rotation) await lookAtRotation(client, contents);
  return contents;
}

async function lookAtObjects(
  client: KeyVaultClient,
  look: Look,
  isIgnored: (name: string) => boolean,
  contents: InventoryContents,
): Promise<void> {
  const period = look.expiresWithin === undefined ? undefined : parsePeriod(look.expiresWithin);
  const horizon = period === undefined ? undefined : Date.now() + period;
  for await (const item of look.kind.listed(client)) {
    contents.count++;
    contents.objects?.push(listed(item));
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
  { kind }: Look,
  isIgnored: (name: string) => boolean,
  contents: InventoryContents,
): Promise<void> {
  try {
    for await (const { name, deletedOn, scheduledPurgeDate } of kind.deleted(client)) {
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
    tell(`the deleted ${kind.collection} of ${client.vaultUrl} may not be listed: the inventory goes on without them`);
  }
}

function listed(item: KeyItem | SecretItem): InventorySecret {
  const { name, enabled, createdOn, updatedOn, notBefore, expiresOn, managed } = item;
  const tags = withoutOwnerTag(item.tags);
  return {
    name,
    enabled,
    ...(createdOn && { createdOn: formatMoment(createdOn) }),
    ...(updatedOn && { updatedOn: formatMoment(updatedOn) }),
    ...(notBefore && { notBefore: formatMoment(notBefore) }),
    ...(expiresOn && { expiresOn: formatMoment(expiresOn) }),
    ...("contentType" in item && item.contentType !== undefined && { contentType: item.contentType }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(managed && { managed }),
  };
}
