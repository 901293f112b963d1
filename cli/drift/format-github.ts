import type { DriftReport } from "./drift-report.js";
import { describeResource } from "./resource-identity.js";
import { summary } from "./summary.js";

/** Workflow commands of GitHub Actions: a warning for each drifted property, a notice for what is pending. */
export function formatGithub(report: DriftReport): string {
  const lines = report.drifted.flatMap((resource) =>
    resource.changes.map(({ property, recorded, observed, consequence }) => {
      const what =
        property === ""
          ? `is ${observed}`
          : `has ${property} ${observed ?? "(none)"}, recorded was ${recorded ?? "(none)"}`;
      const message = `${describeResource(resource)} ${what}. The next up --refresh: ${consequence}`;
      return `::warning title=${escapeProperty(`Drift of ${resource.type} ${resource.name}`)}::${escapeData(message)}`;
    }),
  );
  for (const change of report.pending) {
    const properties = change.properties.length > 0 ? `: ${change.properties.join(", ")}` : "";
    lines.push(
      `::notice title=${escapeProperty("Pending change, no drift")}::${escapeData(`${change.operation} ${describeResource(change)}${properties}`)}`,
    );
  }
  lines.push(escapeLine(summary(report)));
  return `${lines.join("\n")}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function escapeLine(text: string): string {
  return text.replace(/^::/, ": :");
}
