import { printable } from "../text/terminal-text.js";
import type { DriftedResource, DriftReport } from "./drift-report.js";
import { describeResource, type ResourceIdentity } from "./resource-identity.js";
import { summary } from "./summary.js";

/** A report for pull requests and job summaries. */
export function formatMarkdown(report: DriftReport): string {
  const { drifted, settled, pending, followUps, notes } = report;
  const lines = ["## Key Vault drift", "", text(summary(report))];
  if (drifted.length > 0) lines.push("", ...table(drifted));
  if (settled.length > 0) {
    lines.push("", "### Left the recorded state, with nothing to do", "", ...table(settled));
  }
  if (pending.length > 0) {
    lines.push("", "### Pending changes of the program", "", "| Resource | Change | Properties |", "|---|---|---|");
    for (const change of pending) {
      lines.push(row([resource(change), change.operation, change.properties.map(code).join(", ")]));
    }
  }
  if (followUps.length > 0)
    lines.push("", "### Changes with them", "", ...followUps.map((each) => `- ${resource(each)}`));
  if (notes.length > 0) lines.push("", "### Notes", "", ...notes.map((note) => `- ${text(note)}`));
  return `${lines.join("\n")}\n`;
}

function table(resources: readonly DriftedResource[]): string[] {
  const rows = resources.flatMap((drifted) =>
    drifted.changes.map(({ property, recorded, observed, consequence }) =>
      row([
        resource(drifted),
        property === "" ? "(object)" : code(property),
        value(recorded),
        value(observed),
        text(consequence),
      ]),
    ),
  );
  return ["| Resource | Property | Recorded | Observed | Next `up --refresh` |", "|---|---|---|---|---|", ...rows];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function resource(identity: ResourceIdentity): string {
  return text(describeResource(identity));
}

function value(shown: string | undefined): string {
  return shown === undefined ? "*none*" : code(shown);
}

/** Code spans cannot escape: a backtick inside needs a longer fence, and a pipe would end the cell. */
function code(content: string): string {
  const shown = printable(content).replaceAll("|", "\\|");
  const fence = "`".repeat(Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length)) + 1);
  const pad = shown === "" || shown.startsWith("`") || shown.endsWith("`") ? " " : "";
  return `${fence}${pad}${shown}${pad}${fence}`;
}

function text(content: string): string {
  return printable(content).replace(/[\\*_<>|[\]~]/g, "\\$&");
}
