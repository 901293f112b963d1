import { inParallel } from "../../provider/engine/worker-pool.js";
import { rotates } from "../../provider/inventory/rotation-policies.js";
import type { KeyVaultClient, PageOptions } from "../../provider/keyvault/client.js";
import { isKeyVaultError, type KeyVaultError } from "../../provider/keyvault/errors.js";
import type { KeyProperties, SoftDeleted } from "../../provider/keyvault/key-bundle.js";
import type { SecretItem } from "../../provider/keyvault/secret-bundle.js";
import { isForbiddenToCaller } from "../../provider/object/current-version.js";
import { ownerOf, withoutOwnerTag } from "../../provider/object/owner-tag.js";
import type { KnownObjects } from "../stack/known-objects.js";
import { nameFilter } from "../vault/name-filter.js";
import { ALL_NAMES, oddLines, type UnreadObject, unreadObject } from "../vault/unread-object.js";
import type { InventoryOptions } from "./inventory-options.js";
import { listingProgress } from "./listing-progress.js";
import type { ListedObject, VaultListing } from "./vault-listing.js";

interface ListedVault {
  vaultUrl: string;
  client: KeyVaultClient;
  known: KnownObjects | undefined;
}

type Item = (KeyProperties | SecretItem) & SoftDeleted;
type Kind = ListedObject["kind"];

const LANES = 16;

/** Pages once through each list that was asked for. One that the caller may not read is named, unless there is no other. */
export async function listVault(vault: ListedVault, options: InventoryOptions): Promise<VaultListing> {
  const { client } = vault;
  const filter = nameFilter([], options.ignore);
  const takenOn = new Date();
  const horizon = options.expiresWithin === undefined ? undefined : takenOn.getTime() + options.expiresWithin;
  const isWanted = ({ expiresOn }: ListedObject): boolean =>
    horizon === undefined || (expiresOn !== undefined && expiresOn.getTime() <= horizon);

  const objects: ListedObject[] = [];
  const unread: UnreadObject[] = [];
  const listed = options.quiet ? () => {} : listingProgress(vault.vaultUrl);
  const refusals: KeyVaultError[] = [];
  const withSecrets = options.secrets === true && client.plane === "vault";
  const kinds: readonly Kind[] = withSecrets ? ["key", "secret"] : ["key"];
  for (const kind of kinds) {
    const collection = kind === "key" ? "keys" : "secrets";
    const isIgnored = (name: string): boolean => !filter.matches(collection, name);
    const odd = oddLines(collection, unread, isIgnored);
    const permitted = (part: "list" | "list of deleted ones", reading: Promise<ListedObject[]>) =>
      reading.catch((error: unknown) => {
        // A Managed HSM under another host name has no secrets, and says 404 to their list.
        if (kind === "secret" && refusals.length === 0 && isKeyVaultError(error, "KV_NOT_FOUND")) return [];
        if (!isKeyVaultError(error) || !isForbiddenToCaller(error)) throw error;
        if (part === "list") refusals.push(error);
        unread.push(unreadObject(collection, ALL_NAMES, error, part));
        return [];
      });
    const items = kind === "key" ? client.getKeys(odd) : client.getSecrets(odd);
    const current = await permitted("list", collect(items, kind, isIgnored, listed));
    for (const object of current) mark(object, vault);
    const gone = options.deleted
      ? await permitted("list of deleted ones", collectDeleted(client, kind, isIgnored, odd))
      : [];
    // Deleted between the two lists: it stands in both, and is counted once.
    const isGone = new Set(gone.map(({ name }) => name.toLowerCase()));
    const left = current.filter(({ name }) => !isGone.has(name.toLowerCase()));
    const active = options.versions ? await versionsOf(client, left, unread) : left;
    objects.push(...active.filter(isWanted), ...gone.filter(isWanted));
  }
  if (refusals.length === kinds.length) throw refusals[0];
  if (options.rotation) await markRotation(client, objects, unread);
  const narrowed = options.expiresWithin === undefined ? {} : { expiresWithin: options.expiresWithin };
  return { vaultUrl: vault.vaultUrl, takenOn, objects, unread, ...narrowed };
}

async function collect(
  items: AsyncIterable<Item>,
  kind: Kind,
  isIgnored: (name: string) => boolean,
  noteLine: () => void = () => {},
): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const item of items) {
    noteLine();
    if (!isIgnored(item.name)) objects.push(listed(item, kind));
  }
  return objects;
}

async function collectDeleted(
  client: KeyVaultClient,
  kind: Kind,
  isIgnored: (name: string) => boolean,
  odd: PageOptions,
): Promise<ListedObject[]> {
  const items = kind === "key" ? client.getDeletedKeys(odd) : client.getDeletedSecrets(odd);
  const gone = await collect(items, kind, isIgnored);
  return gone.map((object) => ({ ...object, state: "deleted" as const }));
}

function listed(item: Item, kind: Kind): ListedObject {
  const { name, version, enabled, createdOn, updatedOn, notBefore, expiresOn, managed, tags } = item;
  const { deletedOn, scheduledPurgeDate: recoverableUntil } = item;
  const owner = ownerOf(tags);
  return {
    kind,
    name,
    ...(version !== undefined && { version }),
    state: enabled ? "enabled" : "disabled",
    ...(createdOn && { createdOn }),
    ...(updatedOn && { updatedOn }),
    ...(notBefore && { notBefore }),
    ...(expiresOn && { expiresOn }),
    ...("contentType" in item && item.contentType ? { contentType: item.contentType } : {}),
    ...(deletedOn && { deletedOn }),
    ...(recoverableUntil && { recoverableUntil }),
    managedByCertificate: managed,
    // The tag of somebody else is a tag like any other.
    tags: owner ? withoutOwnerTag(tags) : tags,
    ...(owner && { owner: owner.stack }),
  };
}

function mark(object: ListedObject, { vaultUrl, known }: ListedVault): void {
  if (!known || object.managedByCertificate) return;
  object.inStack = known.has(vaultUrl, object.kind === "key" ? "keys" : "secrets", object.name);
}

/**
 * All versions in place of the current ones, the oldest first: the service lists them in the order of random ids. An
 * object whose versions cannot be read stays as it was listed.
 */
async function versionsOf(
  client: KeyVaultClient,
  current: readonly ListedObject[],
  unread: UnreadObject[],
): Promise<ListedObject[]> {
  const versions = await inParallel(current, LANES, async (object) => {
    const { kind, name, inStack, managedByCertificate } = object;
    try {
      const items = kind === "key" ? client.getKeyVersions(name) : client.getSecretVersions(name);
      const found = await collect(items, kind, () => false);
      found.sort((a, b) => (a.createdOn?.getTime() ?? 0) - (b.createdOn?.getTime() ?? 0));
      return found.map((each) => ({
        ...each,
        name,
        managedByCertificate,
        ...(inStack === undefined ? {} : { inStack }),
      }));
    } catch (error) {
      unread.push(unreadObject(kind === "key" ? "keys" : "secrets", name, error, "versions"));
      return [object];
    }
  });
  return versions.flat();
}

/** Whether a policy rotates a key whose policy cannot be read stays open. */
async function markRotation(
  client: KeyVaultClient,
  objects: readonly ListedObject[],
  unread: UnreadObject[],
): Promise<void> {
  const keys = objects.filter(
    ({ kind, state, managedByCertificate }) => kind === "key" && state !== "deleted" && !managedByCertificate,
  );
  const names = [...new Set(keys.map(({ name }) => name))];
  const found = new Map<string, boolean>();
  let isForbidden = false;
  await inParallel(names, LANES, async (name) => {
    if (isForbidden) return;
    try {
      found.set(name, await rotates(client, name));
    } catch (error) {
      if (isForbidden) return;
      isForbidden = isForbiddenToCaller(error);
      unread.push(unreadObject("keys", isForbidden ? ALL_NAMES : name, error, "rotation policy"));
    }
  });
  for (const key of keys) {
    const isRotated = found.get(key.name);
    if (isRotated !== undefined) key.rotates = isRotated;
  }
}
