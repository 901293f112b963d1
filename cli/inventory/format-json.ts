import { formatMoment } from "../../provider/engine/moment.js";
import { jsonDocument } from "../text/json-text.js";
import type { InventoriesDocument, InventoryDocument } from "./inventory-document.js";
import { daysBetween, type Inventory, isExpired, type ListedObject, type VaultListing } from "./vault-listing.js";

/**
 * Of one vault, the vault, the moment, and a list for each kind; of several, a list of such documents. Moments are in
 * ISO 8601, ages in whole days. `format` is raised when a member changes its meaning; new members may come at any time.
 */
export function formatJson({ listings, unread }: Inventory): string {
  const documents = listings.map(describeVault);
  const [only] = documents;
  if (only && documents.length === 1 && unread.length === 0) {
    const document: InventoryDocument = { format: "pulumi-keyvault/inventory/1", ...only };
    return jsonDocument(document);
  }
  const complete = unread.length === 0 && documents.every((document) => document.complete);
  const document: InventoriesDocument = {
    format: "pulumi-keyvault/inventories/1",
    complete,
    vaults: documents,
    unread,
  };
  return jsonDocument(document);
}

function describeVault({ vaultUrl, takenOn, objects, unread }: VaultListing) {
  const list = (kind: ListedObject["kind"], isDeleted: boolean) =>
    objects
      .filter((object) => object.kind === kind && (object.state === "deleted") === isDeleted)
      .map((object) => describeListed(object, takenOn));
  return {
    vaultUrl,
    takenOn: formatMoment(takenOn),
    complete: unread.length === 0,
    keys: list("key", false),
    secrets: list("secret", false),
    deletedKeys: list("key", true),
    deletedSecrets: list("secret", true),
    unread,
  };
}

/** Members stand in this order, whatever the vault's. */
function describeListed(object: ListedObject, takenOn: Date) {
  const { name, version, state, managedByCertificate, tags, owner, inStack, rotates, createdOn, expiresOn } = object;
  return {
    name,
    version,
    enabled: state === "deleted" ? undefined : state === "enabled",
    createdOn: moment(createdOn),
    updatedOn: moment(object.updatedOn),
    notBefore: moment(object.notBefore),
    expiresOn: moment(expiresOn),
    deletedOn: moment(object.deletedOn),
    recoverableUntil: moment(object.recoverableUntil),
    ageInDays: createdOn && daysBetween(createdOn, takenOn),
    expired: expiresOn && isExpired(object, takenOn),
    managedByCertificate,
    tags,
    owner,
    inStack,
    rotates,
  };
}

function moment(date: Date | undefined): string | undefined {
  return date && formatMoment(date);
}
