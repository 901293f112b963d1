import { formatMoment } from "../../provider/engine/moment.js";
import { jsonDocument } from "../text/json-text.js";
import { daysBetween, isExpired, type ListedObject, type VaultListing } from "./vault-listing.js";

/** One object: the vault, the moment, and a list for each kind. Moments are in ISO 8601, ages in whole days. */
export function formatJson({ vaultUrl, takenOn, objects, unread }: VaultListing): string {
  const describe = (object: ListedObject) => {
    const {
      kind: _kind,
      state,
      createdOn,
      updatedOn,
      notBefore,
      expiresOn,
      deletedOn,
      recoverableUntil,
      ...rest
    } = object;
    return {
      ...rest,
      enabled: state === "deleted" ? undefined : state === "enabled",
      createdOn: moment(createdOn),
      updatedOn: moment(updatedOn),
      notBefore: moment(notBefore),
      expiresOn: moment(expiresOn),
      deletedOn: moment(deletedOn),
      recoverableUntil: moment(recoverableUntil),
      ageInDays: createdOn && daysBetween(createdOn, takenOn),
      expired: expiresOn && isExpired(object, takenOn),
    };
  };
  const list = (kind: ListedObject["kind"], isDeleted: boolean) =>
    objects.filter((object) => object.kind === kind && (object.state === "deleted") === isDeleted).map(describe);
  return jsonDocument({
    vaultUrl,
    takenOn: formatMoment(takenOn),
    complete: unread.length === 0,
    keys: list("key", false),
    secrets: list("secret", false),
    deletedKeys: list("key", true),
    deletedSecrets: list("secret", true),
    unread,
  });
}

function moment(date: Date | undefined): string | undefined {
  return date && formatMoment(date);
}
