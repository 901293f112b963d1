import { formatMoment } from "../../provider/engine/input-check.js";
import { daysBetween, type ListedObject, type VaultListing } from "./vault-listing.js";

type Cell = string | number | boolean | Date | undefined;

/**
 * Tags and content types are left out: they are free text, which a spreadsheet might take for a formula. What stands
 * here is names, words and moments.
 */
const COLUMNS: readonly (readonly [heading: string, cell: (object: ListedObject, takenOn: Date) => Cell])[] = [
  ["kind", ({ kind }) => kind],
  ["name", ({ name }) => name],
  ["version", ({ version }) => version],
  ["state", ({ state }) => state],
  ["createdOn", ({ createdOn }) => createdOn],
  ["updatedOn", ({ updatedOn }) => updatedOn],
  ["notBefore", ({ notBefore }) => notBefore],
  ["expiresOn", ({ expiresOn }) => expiresOn],
  ["ageInDays", ({ createdOn }, takenOn) => createdOn && daysBetween(createdOn, takenOn)],
  ["managedByCertificate", ({ managedByCertificate }) => managedByCertificate],
  ["inStack", ({ inStack }) => inStack],
  ["rotates", ({ rotates }) => rotates],
  ["deletedOn", ({ deletedOn }) => deletedOn],
  ["recoverableUntil", ({ recoverableUntil }) => recoverableUntil],
];

/** RFC 4180, with a heading. */
export function formatCsv({ objects, takenOn }: VaultListing): string {
  const rows = [
    COLUMNS.map(([heading]) => heading),
    ...objects.map((object) => COLUMNS.map(([, cell]) => text(cell(object, takenOn)))),
  ];
  return rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

function text(cell: Cell): string {
  if (cell === undefined) return "";
  return cell instanceof Date ? formatMoment(cell) : String(cell);
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
