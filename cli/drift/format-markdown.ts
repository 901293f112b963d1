import { markdownCode, markdownRow, markdownText } from "../text/markdown-text.js";
import type { DriftedResource, DriftReport } from "./drift-report.js";
import { describeResource, type ResourceIdentity } from "./resource-identity.js";
import { summary } from "./summary.js";

/** A report for pull requests and job summaries. */
export function formatMarkdown(report: DriftReport): string {
  const { drifted, settled, unmanaged, pending, followUps, unread, failedStacks, notes } = report;
  const lines = ["## Key Vault drift", "", markdownText(summary(report))];
  if (drifted.length > 0) lines.push("", ...table(drifted));
  if (unread.length > 0) {
    lines.push("", "### Not read, so nothing is known of them", "", "| Resource | Why |", "|---|---|");
    for (const each of unread) lines.push(markdownRow([resource(each), markdownText(each.reason)]));
  }
  if (failedStacks.length > 0) {
    lines.push("", "### Stacks that could not be previewed, or not to the end", "", "| Stack | Why |", "|---|---|");
    for (const { stack, reason } of failedStacks) lines.push(markdownRow([markdownText(stack), markdownText(reason)]));
  }
  if (settled.length > 0) {
    lines.push("", "### Left the recorded state, with nothing to do", "", ...table(settled));
  }
  if (unmanaged.length > 0) {
    lines.push("", "### Changed, not managed by the program", "", ...table(unmanaged));
  }
  if (pending.length > 0) {
    lines.push("", "### Pending changes of the program", "", "| Resource | Change | Properties |", "|---|---|---|");
    for (const change of pending) {
      const properties = change.properties.map(markdownCode).join(", ");
      lines.push(markdownRow([resource(change), markdownText(change.operation), properties]));
    }
  }
  if (followUps.length > 0) {
    lines.push("", "### Changes with them", "", ...followUps.map((each) => `- ${resource(each)}`));
  }
  if (notes.length > 0) lines.push("", "### Notes", "", ...notes.map((note) => `- ${markdownText(note)}`));
  return `${lines.join("\n")}\n`;
}

function table(resources: readonly DriftedResource[]): string[] {
  const rows = resources.flatMap((drifted) =>
    drifted.changes.map(({ property, recorded, observed, consequence }) =>
      markdownRow([
        resource(drifted),
        property === "" ? "(object)" : markdownCode(property),
        value(recorded),
        value(observed),
        markdownText(consequence),
      ]),
    ),
  );
  return ["| Resource | Property | Recorded | Observed | Next `up --refresh` |", "|---|---|---|---|---|", ...rows];
}

function resource(identity: ResourceIdentity): string {
  return markdownText(describeResource(identity));
}

function value(shown: string | undefined): string {
  return shown === undefined ? "*none*" : markdownCode(shown);
}
