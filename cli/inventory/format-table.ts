import { styleText } from "node:util";
import { counted } from "../text/counted.js";
import { inert } from "../text/pipeline-text.js";
import { printable, wrap } from "../text/terminal-text.js";
import { daysBetween, type Inventory, isExpired, type ListedObject, type VaultListing } from "./vault-listing.js";

export interface TableOptions {
  /** Columns of the terminal. Default 80. */
  width?: number;
  colour?: boolean;
  /** Neither headings nor totals. */
  isQuiet?: boolean;
}

const GAP = "  ";
const INDENT = "  ";
const HEADINGS = ["NAME", "VAULT", "KIND", "STATE", "AGE", "EXPIRES", "NOTE"] as const;
const VAULT = 1;
const KIND = 2;
const NAME_AT_LEAST = 24;
const NOTE_AT_LEAST = 12;
const DAY = 86_400_000;

interface Row {
  object: ListedObject;
  takenOn: Date;
  /** The row before it in the same vault. */
  before: ListedObject | undefined;
  cells: readonly string[];
}

/**
 * A list for people, in the width of the terminal. A name that is too long for its column stands on a line of its own,
 * and so does one of which all versions are listed.
 */
export function formatTable(
  { listings }: Inventory,
  { width = 80, colour = false, isQuiet = false }: TableOptions = {},
): string {
  const total = listings.flatMap((listing) => summary(listing)).flatMap((line) => wrap(line, width));
  const labels = vaultLabels(listings);
  const rows = listings.flatMap(({ objects, takenOn }, vault) =>
    objects.map((object, index): Row => {
      const cells = cellsOf(object, takenOn, labels[vault] ?? "");
      return { object, takenOn, before: objects[index - 1], cells };
    }),
  );
  if (rows.length === 0) return isQuiet ? "" : inert(`${total.join("\n")}\n`);
  const isShown: Partial<Record<number, boolean>> = {
    [VAULT]: listings.length > 1,
    [KIND]: rows.some(({ object }) => object.kind === "secret"),
  };
  const columns = HEADINGS.map((_, column) => column).filter((column) => isShown[column] ?? true);
  const widths = columnWidths(rows, columns, width);
  const line = (cells: readonly string[]): string[] => {
    const [name = "", ...rest] = columns.map((column) => cells[column] ?? "");
    const isLong = name.length > (widths[0] ?? 0);
    const notes = wrap(rest.pop() ?? "", widths.at(-1) ?? 0);
    return [
      ...(isLong ? wrap(name, width) : []),
      ...notes.map((note, index) => {
        const fields = [isLong ? "" : name, ...rest].map((cell, column) =>
          (index === 0 ? cell : "").padEnd(widths[column] ?? 0),
        );
        return [...fields, note].join(GAP).trimEnd();
      }),
    ];
  };
  const paint = (style: Style, text: string): string =>
    colour && style ? styleText(style, text, { validateStream: false }) : text;
  const lines = rows.flatMap(({ object, takenOn, before, cells }) => [
    ...nameLines(object, before, width),
    ...line(cells).map((text) => paint(styleOf(object, takenOn), text)),
  ]);
  if (isQuiet) return inert(`${lines.join("\n")}\n`);
  const heading = line(HEADINGS).map((text) => paint("dim", text));
  return inert(`${[...heading, ...lines, "", ...total].join("\n")}\n`);
}

/** The vault's own name where that tells them apart, else its host. */
function vaultLabels(listings: readonly VaultListing[]): string[] {
  const hosts = listings.map(({ vaultUrl }) => (URL.canParse(vaultUrl) && new URL(vaultUrl).host) || vaultUrl);
  const names = hosts.map((host) => host.split(".")[0] ?? host);
  const labels = new Set(names).size === names.length ? names : hosts;
  return labels.map(printable);
}

function cellsOf(object: ListedObject, takenOn: Date, vault: string): string[] {
  const { kind, name, version, state, createdOn, expiresOn } = object;
  const age = createdOn ? `${Math.max(0, daysBetween(createdOn, takenOn))} d` : "";
  const id = printable(version === undefined ? name : `${INDENT}${version}`);
  const notes = [...momentNotes(object, takenOn), ...(version === undefined ? objectNotes(object) : [])];
  return [id, vault, kind, state, age, expiresOn ? day(expiresOn) : "", notes.join(", ")];
}

/** Before the first of its versions, the name of an object with what is true of all of them. */
function nameLines(object: ListedObject, before: ListedObject | undefined, width: number): string[] {
  if (object.version === undefined) return [];
  if (before?.version !== undefined && before.name === object.name && before.kind === object.kind) return [];
  const notes = objectNotes(object);
  return wrap(`${object.name}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`, width);
}

function momentNotes(object: ListedObject, takenOn: Date): string[] {
  const { recoverableUntil } = object;
  return [
    ...(isExpired(object, takenOn) ? ["expired"] : []),
    ...(recoverableUntil ? [`until ${day(recoverableUntil)}`] : []),
  ];
}

function objectNotes({ managedByCertificate, inStack, rotates }: ListedObject): string[] {
  return [
    ...(managedByCertificate ? ["of a certificate"] : []),
    ...(inStack === false ? ["unmanaged"] : []),
    ...(rotates === false ? ["no rotation"] : []),
  ];
}

/** Where the terminal is too narrow for all, the notes give way first, and then the names. */
function columnWidths(rows: readonly Row[], columns: readonly number[], width: number): number[] {
  const widths = columns.map((column) =>
    rows.reduce((most, { cells }) => Math.max(most, cells[column]?.length ?? 0), HEADINGS[column]?.length ?? 0),
  );
  const [name = 0, ...rest] = widths;
  const note = rest.pop() ?? 0;
  const room = width - rest.reduce((sum, each) => sum + each + GAP.length, GAP.length);
  const narrowName = Math.max(Math.min(name, NAME_AT_LEAST), room - note);
  const nameWidth = name + note <= room ? name : Math.min(name, narrowName);
  return [nameWidth, ...rest, Math.max(Math.min(note, room - nameWidth), NOTE_AT_LEAST)];
}

type Style = "red" | "yellow" | "dim" | undefined;

function styleOf(object: ListedObject, takenOn: Date): Style {
  if (isExpired(object, takenOn)) return "red";
  if (object.inStack === false) return "yellow";
  return object.state === "enabled" ? undefined : "dim";
}

/** What the list comes to. Active and deleted ones are counted apart, so that each number is that of what is named. */
function summary({ vaultUrl, objects, unread, takenOn, expiresWithin }: VaultListing): string[] {
  const count = (what: string, matches: (object: ListedObject) => boolean): string[] => {
    const number = objects.filter(matches).length;
    return number > 0 ? [`${number} ${what}`] : [];
  };
  const counts = [
    ...countedKind(objects, "key", false),
    ...countedKind(objects, "secret", false),
    ...countedKind(objects, "key", true),
    ...countedKind(objects, "secret", true),
    ...count("disabled", ({ state }) => state === "disabled"),
    ...count("of certificates", ({ managedByCertificate }) => managedByCertificate),
    ...count("expired", (object) => isExpired(object, takenOn)),
    ...count("unmanaged", ({ inStack }) => inStack === false),
    ...count("without rotation", ({ rotates }) => rotates === false),
  ];
  const days = expiresWithin === undefined ? undefined : Math.round(expiresWithin / DAY);
  const narrowed = days === undefined ? "" : ` expiring within ${counted(days, "day")}`;
  const lost =
    unread.length === 0 ? [] : [`Incomplete: ${counted(unread.length, "failure")} to read, told on standard error.`];
  return [`${vaultUrl}${narrowed}: ${counts.length > 0 ? counts.join(", ") : "nothing"}`, ...lost];
}

function countedKind(objects: readonly ListedObject[], kind: ListedObject["kind"], isDeleted: boolean): string[] {
  const listed = objects.filter((object) => object.kind === kind && (object.state === "deleted") === isDeleted);
  if (listed.length === 0) return [];
  if (isDeleted) return [counted(listed.length, `deleted ${kind}`)];
  const isOfVersions = listed.some(({ version }) => version !== undefined);
  return [
    isOfVersions ? counted(listed.length, `version of ${kind}s`, `versions of ${kind}s`) : counted(listed.length, kind),
  ];
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
