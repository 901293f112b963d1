import { styleText } from "node:util";
import { wrap } from "../text/terminal-text.js";
import type { DriftedProperty, DriftedResource, DriftReport } from "./drift-report.js";
import { describeResource } from "./resource-identity.js";
import { summary } from "./summary.js";

export interface TableOptions {
  /** Columns of the terminal. Default 80. */
  width?: number;
  colour?: boolean;
}

const HEADINGS = ["PROPERTY", "RECORDED", "OBSERVED", "NEXT UP --REFRESH"] as const;
const GAP = "  ";
const INDENT = "  ";

/** A report for people: a table a resource, in the width of the terminal. */
export function formatTable(report: DriftReport, { width = 80, colour = false }: TableOptions = {}): string {
  const paint = (style: "red" | "yellow" | "green" | "bold" | "dim", text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const lines: string[] = [];
  const headline = summary(report);
  lines.push(...wrap(headline, width).map((line) => paint(report.drifted.length > 0 ? "red" : "green", line)));
  for (const resource of report.drifted) lines.push("", ...table(resource, width, paint));
  if (report.settled.length > 0) {
    lines.push("", ...wrap("Left the recorded state, with nothing to do: the program agrees or ignores it", width));
    for (const resource of report.settled) lines.push("", ...table(resource, width, paint));
  }
  if (report.pending.length > 0) {
    lines.push("", "Pending changes of the program, which are no drift:");
    for (const change of report.pending) {
      const properties = change.properties.length > 0 ? `: ${change.properties.join(", ")}` : "";
      lines.push(...hanging(`${change.operation} ${describeResource(change)}${properties}`, width));
    }
  }
  if (report.followUps.length > 0) {
    lines.push("", "Changes with them:");
    for (const each of report.followUps) lines.push(...hanging(describeResource(each), width));
  }
  if (report.notes.length > 0) {
    lines.push("", "Notes:");
    for (const note of report.notes) lines.push(...hanging(note, width));
  }
  return `${lines.join("\n")}\n`;
}

type Paint = (style: "red" | "yellow" | "green" | "bold" | "dim", text: string) => string;

function table(resource: DriftedResource, width: number, paint: Paint): string[] {
  const columns = columnWidths(resource.changes, width);
  const row = (cells: readonly string[]): string[] => {
    const wrapped = cells.map((cell, column) => wrap(cell, columns[column] ?? 10));
    const height = Math.max(...wrapped.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      `${INDENT}${wrapped.map((cell, column) => (cell[line] ?? "").padEnd(columns[column] ?? 0)).join(GAP)}`.trimEnd(),
    );
  };
  return [
    ...wrap(describeResource(resource), width).map((line) => paint("bold", line)),
    ...row(HEADINGS).map((line) => paint("dim", line)),
    ...resource.changes.flatMap((change) => row(cellsOf(change))),
  ];
}

function cellsOf({ property, recorded, observed, consequence }: DriftedProperty): string[] {
  return [property || "(object)", recorded ?? "(none)", observed ?? "(none)", consequence];
}

/** None is wider than it has to be; where they do not fit, the widest ones give way. */
function columnWidths(changes: readonly DriftedProperty[], width: number): number[] {
  const room = Math.max(40, width - INDENT.length - GAP.length * (HEADINGS.length - 1));
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...changes.map((change) => cellsOf(change)[column]?.length ?? 0)),
  );
  for (let excess = widths.reduce((sum, each) => sum + each, 0) - room; excess > 0; excess -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
  return widths;
}

function hanging(text: string, width: number): string[] {
  return wrap(text, width - 4).map((line, index) => `${index === 0 ? "  " : "    "}${line}`);
}
