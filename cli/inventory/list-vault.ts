import picomatch from "picomatch";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { rotates } from "../../provider/key-inventory/look-at-vault.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { KeyProperties, SoftDeleted } from "../../provider/keyvault/key-bundle.js";
import type { SecretItem } from "../../provider/keyvault/secret-bundle.js";
import type { KnownObjects } from "../stack/known-objects.js";
import type { InventoryOptions } from "./inventory-options.js";
import type { ListedObject, VaultListing } from "./vault-listing.js";

interface ListedVault {
  vaultUrl: string;
  client: KeyVaultClient;
  known: KnownObjects | undefined;
}

type Item = (KeyProperties | SecretItem) & SoftDeleted;
type Kind = ListedObject["kind"];

const LANES = 16;

/** Pages once through each list that was asked for. */
export async function listVault(vault: ListedVault, options: InventoryOptions): Promise<VaultListing> {
  const { client } = vault;
  const isIgnored = options.ignore?.length ? picomatch(options.ignore, { nocase: true }) : () => false;
  const takenOn = new Date();
  const horizon = options.expiresWithin === undefined ? undefined : takenOn.getTime() + options.expiresWithin;
  const isWanted = ({ expiresOn }: ListedObject): boolean =>
    horizon === undefined || (expiresOn !== undefined && expiresOn.getTime() <= horizon);

  const objects: ListedObject[] = [];
  for (const kind of options.secrets ? (["key", "secret"] as const) : (["key"] as const)) {
    const current = await collect(kind === "key" ? client.getKeys() : client.getSecrets(), kind, isIgnored);
    for (const object of current) mark(object, vault);
    const active = options.versions ? await versionsOf(client, current) : current;
    objects.push(...active.filter(isWanted));
    if (!options.deleted) continue;
    const gone = await collect(kind === "key" ? client.getDeletedKeys() : client.getDeletedSecrets(), kind, isIgnored);
    objects.push(...gone.map((object) => ({ ...object, state: "deleted" as const })).filter(isWanted));
  }
  if (options.rotation) await markRotation(client, objects);
  const narrowed = options.expiresWithin === undefined ? {} : { expiresWithin: options.expiresWithin };
  return { vaultUrl: vault.vaultUrl, takenOn, objects, ...narrowed };
}

async function collect(
  items: AsyncIterable<Item>,
  kind: Kind,
  isIgnored: (name: string) => boolean,
): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const item of items) {
    if (!isIgnored(item.name)) objects.push(listed(item, kind));
  }
  return objects;
}

function listed(item: Item, kind: Kind): ListedObject {
  const { name, version, enabled, createdOn, updatedOn, notBefore, expiresOn, managed, tags } = item;
  const { deletedOn, scheduledPurgeDate: recoverableUntil } = item;
  return {
    kind,
    name,
    ...(version !== undefined && { version }),
    state: enabled ? "enabled" : "disabled",
    ...(createdOn && { createdOn }),
    ...(updatedOn && { updatedOn }),
    ...(notBefore && { notBefore }),
    ...(expiresOn && { expiresOn }),
    ...(deletedOn && { deletedOn }),
    ...(recoverableUntil && { recoverableUntil }),
    managedByCertificate: managed,
    tags,
  };
}

function mark(object: ListedObject, { vaultUrl, known }: ListedVault): void {
  if (!known || object.managedByCertificate) return;
  object.inStack = known.has(vaultUrl, object.kind === "key" ? "keys" : "secrets", object.name);
}

/** All versions in place of the current ones, the oldest first: the service lists them in the order of random ids. */
async function versionsOf(client: KeyVaultClient, current: readonly ListedObject[]): Promise<ListedObject[]> {
  const versions = await inParallel(current, LANES, async ({ kind, name, inStack, managedByCertificate }) => {
    const items = kind === "key" ? client.getKeyVersions(name) : client.getSecretVersions(name);
    const found = await collect(items, kind, () => false);
    found.sort((a, b) => (a.createdOn?.getTime() ?? 0) - (b.createdOn?.getTime() ?? 0));
    return found.map((object) => ({ ...object, managedByCertificate, ...(inStack === undefined ? {} : { inStack }) }));
  });
  return versions.flat();
}

async function markRotation(client: KeyVaultClient, objects: readonly ListedObject[]): Promise<void> {
  const keys = objects.filter(
    ({ kind, state, managedByCertificate }) => kind === "key" && state !== "deleted" && !managedByCertificate,
  );
  const names = [...new Set(keys.map(({ name }) => name))];
  const found = new Map(await inParallel(names, LANES, async (name) => [name, await rotates(client, name)] as const));
  for (const key of keys) key.rotates = found.get(key.name) === true;
}
