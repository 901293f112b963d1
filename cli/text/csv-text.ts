import { inert } from "./pipeline-text.js";
import { printable } from "./terminal-text.js";

export type CsvCell = string | number | boolean | undefined;

/** What a spreadsheet begins a formula with, the full-width forms too. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** A line of RFC 4180. Text that a spreadsheet would take for a formula has an apostrophe before it. */
export function csvRow(cells: readonly CsvCell[]): string {
  return `${inert(cells.map(cell).join(","))}\r\n`;
}

function cell(value: CsvCell): string {
  if (typeof value !== "string") return value === undefined ? "" : String(value);
  const shown = FORMULA.test(value) ? `'${printable(value)}` : printable(value);
  return /[",;]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}
