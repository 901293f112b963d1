import { styleText } from "node:util";
import { printable, wrap } from "../drift/format-table.js";
import { daysBetween, isExpired, type ListedObject, type VaultListing } from "./vault-listing.js";

export interface TableOptions {
  /** Columns of the terminal. Default: no limit, one line for each object. */
  width?: number;
  colour?: boolean;
}

const GAP = "  ";
const HEADINGS = ["NAME", "KIND", "STATE", "AGE", "EXPIRES", "NOTE"] as const;
const DAY = 86_400_000;

/** A list for people. A name that is too long for its column stands on a line of its own. */
export function formatTable(listing: VaultListing, { width, colour = false }: TableOptions = {}): string {
  const { objects, takenOn } = listing;
  const lines = summary(listing).flatMap((line) => (width === undefined ? [line] : wrap(line, width)));
  if (objects.length === 0) return `${lines.join("\n")}\n`;
  const rows = objects.map((object) => cellsOf(object, takenOn));
  const hasSecrets = objects.some(({ kind }) => kind === "secret");
  const columns = HEADINGS.map((_, column) => column).filter((column) => column !== 1 || hasSecrets);
  const widths = columnWidths(rows, columns, width);
  const row = (cells: readonly string[]): string[] => {
    const [name = "", ...rest] = columns.map((column) => cells[column] ?? "");
    const fields = rest.map((cell, index) => cell.padEnd(widths[index + 1] ?? 0)).join(GAP);
    const isLong = name.length > (widths[0] ?? 0);
    const own = isLong ? broken(name, width) : [];
    return [...own, `${(isLong ? "" : name).padEnd(widths[0] ?? 0)}${GAP}${fields}`.trimEnd()];
  };
  const table = objects.flatMap((object, index) => row(rows[index] ?? []).map(painter(object, takenOn, colour)));
  const heading = row(HEADINGS).map((line) => (colour ? styleText("dim", line, { validateStream: false }) : line));
  return `${[...heading, ...table, "", ...lines].join("\n")}\n`;
}

function cellsOf(object: ListedObject, takenOn: Date): string[] {
  const { kind, name, version, state, createdOn, expiresOn } = object;
  const age = createdOn ? `${Math.max(0, daysBetween(createdOn, takenOn))} d` : "";
  const id = version === undefined ? name : `${name}/${version}`;
  return [printable(id), kind, state, age, expiresOn ? day(expiresOn) : "", notesOf(object, takenOn).join(", ")];
}

function notesOf(object: ListedObject, takenOn: Date): string[] {
  const { ofCertificate, inStack, rotates, recoverableUntil } = object;
  return [
    ...(isExpired(object, takenOn) ? ["expired"] : []),
    ...(ofCertificate ? ["of a certificate"] : []),
    ...(inStack === false ? ["unmanaged"] : []),
    ...(rotates === false ? ["no rotation"] : []),
    ...(recoverableUntil ? [`until ${day(recoverableUntil)}`] : []),
  ];
}

/** The name gives way where the terminal is too narrow for all. */
function columnWidths(rows: readonly string[][], columns: readonly number[], width: number | undefined): number[] {
  const widths = columns.map((column) =>
    rows.reduce((most, cells) => Math.max(most, cells[column]?.length ?? 0), HEADINGS[column]?.length ?? 0),
  );
  if (width === undefined) return widths;
  const others = widths.slice(1).reduce((sum, each) => sum + each + GAP.length, 0);
  widths[0] = Math.max(HEADINGS[0].length, Math.min(widths[0] ?? 0, width - others));
  return widths;
}

function broken(name: string, width: number | undefined): string[] {
  return width === undefined ? [name] : wrap(name, width);
}

function painter(object: ListedObject, takenOn: Date, colour: boolean): (line: string) => string {
  if (!colour) return (line) => line;
  const style = isExpired(object, takenOn)
    ? "red"
    : object.inStack === false
      ? "yellow"
      : object.state === "enabled"
        ? undefined
        : "dim";
  return (line) => (style ? styleText(style, line, { validateStream: false }) : line);
}

/** What the list comes to. */
function summary({ vaultUrl, objects, takenOn, expiresWithin }: VaultListing): string[] {
  const count = (what: string, matches: (object: ListedObject) => boolean): string[] => {
    const number = objects.filter(matches).length;
    return number > 0 ? [`${number} ${what}`] : [];
  };
  const counts = [
    ...counted(objects, "key"),
    ...counted(objects, "secret"),
    ...count("disabled", ({ state }) => state === "disabled"),
    ...count("deleted", ({ state }) => state === "deleted"),
    ...count("of certificates", ({ ofCertificate }) => ofCertificate),
    ...count("expired", (object) => isExpired(object, takenOn)),
    ...count("unmanaged", ({ inStack }) => inStack === false),
    ...count("without rotation", ({ rotates }) => rotates === false),
  ];
  const narrowed = expiresWithin === undefined ? "" : ` expiring within ${Math.round(expiresWithin / DAY)} days`;
  return [`${vaultUrl}${narrowed}: ${counts.length > 0 ? counts.join(", ") : "nothing"}`];
}

function counted(objects: readonly ListedObject[], kind: ListedObject["kind"]): string[] {
  const listed = objects.filter((object) => object.kind === kind);
  if (listed.length === 0) return [];
  const what = listed.some(({ version }) => version !== undefined) ? `version of ${kind}s` : kind;
  const plural = what.startsWith("version") ? `versions of ${kind}s` : `${kind}s`;
  return [`${listed.length} ${listed.length === 1 ? what : plural}`];
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
