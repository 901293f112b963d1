import { githubCommand } from "../text/github-command.js";
import { inert } from "../text/pipeline-text.js";
import { printable } from "../text/terminal-text.js";
import type { DriftedProperty, DriftReport } from "./drift-report.js";
import { describeResource, type ResourceIdentity } from "./resource-identity.js";
import { summary } from "./summary.js";

/** Workflow commands of GitHub Actions: a warning for each drifted property, an error for what was not read, a notice for the rest. */
export function formatGithub(report: DriftReport): string {
  const lines = report.drifted.flatMap((resource) =>
    resource.changes.map((change) =>
      githubCommand(
        "warning",
        `Drift of ${resource.stack === undefined ? "" : `${resource.stack}: `}${resource.type} ${resource.name}`,
        `${changed(resource, change)}. The next up --refresh: ${change.consequence}`,
      ),
    ),
  );
  for (const resource of report.unread) {
    lines.push(
      githubCommand("error", "Not read", `${describeResource(resource)} could not be read: ${resource.reason}`),
    );
  }
  for (const { stack, reason } of report.failedStacks) {
    lines.push(githubCommand("error", "Not previewed", `stack ${stack}: ${reason}`));
  }
  for (const resource of report.unmanaged) {
    for (const change of resource.changes) {
      lines.push(githubCommand("notice", "Changed, not managed", changed(resource, change)));
    }
  }
  for (const change of report.pending) {
    const properties = change.properties.length > 0 ? `: ${change.properties.join(", ")}` : "";
    lines.push(
      githubCommand(
        "notice",
        "Pending change, no drift",
        `${change.operation} ${describeResource(change)}${properties}`,
      ),
    );
  }
  lines.push(inert(printable(summary(report))));
  return `${lines.join("\n")}\n`;
}

function changed(resource: ResourceIdentity, { property, recorded, observed }: DriftedProperty): string {
  const what =
    property === ""
      ? `is ${observed}`
      : `has ${property} ${observed ?? "(none)"}, recorded was ${recorded ?? "(none)"}`;
  return `${describeResource(resource)} ${what}`;
}
