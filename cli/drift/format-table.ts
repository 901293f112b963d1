import { styleText } from "node:util";
import { inert } from "../text/pipeline-text.js";
import { LONGEST_WHOLE_WORD, printable, wrap } from "../text/terminal-text.js";
import { type DriftedProperty, type DriftedResource, type DriftReport, isComplete } from "./drift-report.js";
import { describeResource } from "./resource-identity.js";
import { summary } from "./summary.js";

export interface TableOptions {
  /** Columns of the terminal. Default 80. */
  width?: number;
  colour?: boolean;
}

const HEADINGS = ["PROPERTY", "RECORDED", "OBSERVED", "NEXT UP --REFRESH"] as const;
const STACKED = ["recorded", "observed", "next up --refresh"] as const;
const GAP = "  ";
const INDENT = "  ";

/** A report for people: a table a resource, in the width of the terminal. */
export function formatTable(report: DriftReport, { width = 80, colour = false }: TableOptions = {}): string {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const { drifted, settled, unmanaged, pending, followUps, unread, failedStacks, notes } = report;
  const isGood = drifted.length === 0 && isComplete(report);
  const lines = wrap(summary(report), width).map((line) => paint(isGood ? "green" : "red", line));
  const section = (heading: string, content: readonly string[]): void => {
    if (content.length > 0) lines.push("", ...wrap(heading, width), ...content);
  };
  const tables = (resources: readonly DriftedResource[]): string[] =>
    resources.flatMap((resource) => ["", ...table(resource, width, paint)]);
  const list = (texts: readonly string[]): string[] => texts.flatMap((text) => hanging(text, width));

  lines.push(...tables(drifted));
  section(
    "Not read, so nothing is known of them:",
    list(unread.map((resource) => `${describeResource(resource)}: ${resource.reason}`)),
  );
  section(
    "Stacks that could not be previewed, or not to the end:",
    list(failedStacks.map(({ stack, reason }) => `${stack}: ${reason}`)),
  );
  section("Left the recorded state, with nothing to do: the program agrees or ignores it", tables(settled));
  section("Changed, not managed: the program leaves it out, so it is the vault's", tables(unmanaged));
  section(
    "Pending changes of the program, which are no drift:",
    list(
      pending.map((change) => {
        const properties = change.properties.length > 0 ? `: ${change.properties.join(", ")}` : "";
        return `${change.operation} ${describeResource(change)}${properties}`;
      }),
    ),
  );
  section("Changes with them:", list(followUps.map(describeResource)));
  section("Notes:", list(notes));
  return inert(`${lines.join("\n")}\n`);
}

type Paint = (style: "red" | "yellow" | "green" | "bold" | "dim", text: string) => string;

function table(resource: DriftedResource, width: number, paint: Paint): string[] {
  const heading = wrap(describeResource(resource), width).map((line) => paint("bold", line));
  const columns = columnWidths(resource.changes, width);
  if (!columns) return [...heading, ...resource.changes.flatMap((change) => stacked(change, width, paint))];
  const row = (cells: readonly string[]): string[] => {
    const wrapped = cells.map((cell, column) => wrap(cell, columns[column] ?? 10));
    const height = Math.max(...wrapped.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      `${INDENT}${wrapped.map((cell, column) => (cell[line] ?? "").padEnd(columns[column] ?? 0)).join(GAP)}`.trimEnd(),
    );
  };
  return [
    ...heading,
    ...row(HEADINGS).map((line) => paint("dim", line)),
    ...resource.changes.flatMap((change) => row(cellsOf(change))),
  ];
}

/** Where the columns would break a version or a digest, each value has a line of its own. */
function stacked(change: DriftedProperty, width: number, paint: Paint): string[] {
  const [property = "", ...values] = cellsOf(change);
  const labelWidth = Math.max(...STACKED.map((label) => label.length)) + 1;
  const room = width - 2 * INDENT.length - labelWidth - 1;
  return [
    ...wrap(property, width - INDENT.length).map((line) => `${INDENT}${line}`),
    ...values.flatMap((value, index) =>
      wrap(value, room).map((line, part) => {
        const label = part === 0 ? `${STACKED[index] ?? ""}:` : "";
        return `${INDENT}${INDENT}${paint("dim", label.padEnd(labelWidth))} ${line}`.trimEnd();
      }),
    ),
  ];
}

function cellsOf({ property, recorded, observed, consequence }: DriftedProperty): string[] {
  return [property || "(object)", recorded ?? "(none)", observed ?? "(none)", consequence].map(printable);
}

/**
 * None is wider than it has to be; where they do not fit, the widest ones give way, but none breaks a word. Undefined
 * where that is not enough.
 */
function columnWidths(changes: readonly DriftedProperty[], width: number): number[] | undefined {
  const room = Math.max(40, width - INDENT.length - GAP.length * (HEADINGS.length - 1));
  const cells = changes.map(cellsOf);
  const widest = (column: number, measure: (cell: string) => number): number =>
    Math.max(...cells.map((row) => measure(row[column] ?? "")));
  const widths = HEADINGS.map((heading, column) =>
    Math.max(
      heading.length,
      widest(column, (cell) => cell.length),
    ),
  );
  const least = HEADINGS.map((heading, column) =>
    Math.max(heading.length, Math.min(widest(column, longestWord), LONGEST_WHOLE_WORD)),
  );
  for (let excess = widths.reduce((sum, each) => sum + each, 0) - room; excess > 0; excess -= 1) {
    const spare = widths.map((each, column) => (each > (least[column] ?? 0) ? each : 0));
    const column = spare.indexOf(Math.max(...spare));
    if (spare[column] === 0) return undefined;
    widths[column] = (widths[column] ?? 1) - 1;
  }
  return widths;
}

function longestWord(text: string): number {
  return Math.max(...text.split(" ").map((word) => word.length));
}

function hanging(text: string, width: number): string[] {
  return wrap(text, width - 4).map((line, index) => `${index === 0 ? "  " : "    "}${line}`);
}
