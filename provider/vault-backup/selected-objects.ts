import type { CoveredVersion } from "../backup/covered-version.js";
import { newestKeyVersion } from "../backup/newest-key-version.js";
import { newestSecretVersion } from "../backup/newest-secret-version.js";
import { formatMoment } from "../engine/moment.js";
import type { KeyVaultClient, PageOptions } from "../keyvault/client.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import type { KeyItem } from "../keyvault/key-bundle.js";
import type { SecretItem } from "../keyvault/secret-bundle.js";
import { ifPresent } from "../object/operation-deadline.js";
import type { Collection } from "./by-kind.js";
import type { Selection } from "./selection.js";

/** An object as the vault has it now. Lists do not tell its version. */
export interface SelectedObject extends Partial<CoveredVersion> {
  name: string;
}

export interface SelectedObjects {
  objects: SelectedObject[];
  /** Names of the program that the vault does not have. */
  missing: string[];
  /** Objects of certificates that a glob would have covered. */
  managed: string[];
}

/** A page of a list holds 25: up to as many names are asked for one by one, which needs no permission to list. */
const FEW = 25;

/**
 * What a selection finds in the vault.
 *
 * Globs leave out keys and secrets of certificates: restored on their own they would take the certificate's name.
 * Needs keys/get or keys/list, and secrets/list.
 */
export async function lookAt(
  client: KeyVaultClient,
  collection: Collection,
  { matches, names, globs }: Selection,
): Promise<SelectedObjects> {
  if (globs.length === 0 && names.length <= FEW) return lookAtEach(client, collection, names);
  const contents: SelectedObjects = { objects: [], missing: [], managed: [] };
  const named = new Set(names.map((name) => name.toLowerCase()));
  const odd = new Set<string>();
  const options: PageOptions = {
    onOddLine(error) {
      const { objectName } = error;
      if (objectName === undefined || !isValidObjectName(objectName)) throw error;
      if (matches(objectName)) odd.add(objectName);
    },
  };
  for await (const item of listed(client, collection, options)) {
    if (!isValidObjectName(item.name) || !matches(item.name)) continue;
    const isNamed = named.delete(item.name.toLowerCase());
    if (item.managed && !isNamed) contents.managed.push(item.name);
    else contents.objects.push({ name: item.name, ...lastChange(item) });
  }
  for (const name of odd) {
    named.delete(name.toLowerCase());
    // Asked for by its name it may be readable; else its backup fails by its name, beside the others.
    contents.objects.push(await observe(client, collection, name).catch(() => ({ name })));
  }
  contents.missing = names.filter((name) => named.has(name.toLowerCase()));
  return contents;
}

/** The current version of an object, with its last change. */
export async function observe(
  client: KeyVaultClient,
  collection: Collection,
  name: string,
): Promise<SelectedObject & CoveredVersion> {
  const newest = collection === "keys" ? newestKeyVersion(client, name) : newestSecretVersion(client, name);
  const item = await newest;
  return { name: item.name, version: item.version, ...lastChange(item) };
}

/** Whether an object that is not there can be recovered. A question on the way to a failure, which it does not replace. */
export async function whyMissing(client: KeyVaultClient, collection: Collection, name: string): Promise<string> {
  const asked = collection === "keys" ? client.getDeletedKey(name) : client.getDeletedSecret(name);
  const deleted = await asked.catch(() => undefined);
  if (!deleted) return "the vault has nothing of that name";
  const when = deleted.deletedOn ? ` on ${formatMoment(deleted.deletedOn)}` : "";
  const until = deleted.scheduledPurgeDate ? ` until ${formatMoment(deleted.scheduledPurgeDate)}` : "";
  return `it was deleted${when}, and can be recovered${until}`;
}

async function lookAtEach(client: KeyVaultClient, collection: Collection, names: string[]): Promise<SelectedObjects> {
  const contents: SelectedObjects = { objects: [], missing: [], managed: [] };
  await Promise.all(
    names.map(async (name) => {
      const object = await ifPresent(observe(client, collection, name));
      if (object) contents.objects.push(object);
      else contents.missing.push(name);
    }),
  );
  contents.missing.sort();
  return contents;
}

function listed(
  client: KeyVaultClient,
  collection: Collection,
  options: PageOptions,
): AsyncIterable<KeyItem | SecretItem> {
  return collection === "keys" ? client.getKeys(options) : client.getSecrets(options);
}

function lastChange({ updatedOn, createdOn }: Pick<KeyItem | SecretItem, "createdOn" | "updatedOn">): {
  updatedOn?: string;
} {
  const moment = updatedOn ?? createdOn;
  return moment ? { updatedOn: formatMoment(moment) } : {};
}
