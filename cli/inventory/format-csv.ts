import { formatMoment } from "../../provider/engine/moment.js";
import { type CsvCell, csvRow } from "../text/csv-text.js";
import { daysBetween, type Inventory, type ListedObject } from "./vault-listing.js";

/** Tags and content types are left out: they are free text, and lists of it. What stands here is names, words and moments. */
const COLUMNS: readonly (readonly [heading: string, cell: (object: ListedObject, takenOn: Date) => CsvCell])[] = [
  ["kind", ({ kind }) => kind],
  ["name", ({ name }) => name],
  ["version", ({ version }) => version],
  ["state", ({ state }) => state],
  ["createdOn", ({ createdOn }) => moment(createdOn)],
  ["updatedOn", ({ updatedOn }) => moment(updatedOn)],
  ["notBefore", ({ notBefore }) => moment(notBefore)],
  ["expiresOn", ({ expiresOn }) => moment(expiresOn)],
  ["ageInDays", ({ createdOn }, takenOn) => createdOn && daysBetween(createdOn, takenOn)],
  ["managedByCertificate", ({ managedByCertificate }) => managedByCertificate],
  ["inStack", ({ inStack }) => inStack],
  ["rotates", ({ rotates }) => rotates],
  ["deletedOn", ({ deletedOn }) => moment(deletedOn)],
  ["recoverableUntil", ({ recoverableUntil }) => moment(recoverableUntil)],
  ["owner", ({ owner }) => owner],
];

/** RFC 4180, with a heading. The vault stands last, so that its column moves no other. */
export function formatCsv({ listings }: Inventory): string {
  const rows = listings.flatMap(({ vaultUrl, objects, takenOn }) =>
    objects.map((object) => csvRow([...COLUMNS.map(([, cell]) => cell(object, takenOn)), vaultUrl])),
  );
  return `${csvRow([...COLUMNS.map(([heading]) => heading), "vaultUrl"])}${rows.join("")}`;
}

function moment(date: Date | undefined): string | undefined {
  return date && formatMoment(date);
}
