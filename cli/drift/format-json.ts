import type { DriftReport } from "./drift-report.js";

/** A report for programs. `format` is raised when a member changes its meaning; new members may come at any time. */
export function formatJson(report: DriftReport): string {
  const { drifted, settled, pending, followUps, compared, notes } = report;
  const document = {
    format: "pulumi-keyvault/drift/1",
    drift: drifted.length > 0,
    counts: {
      compared: compared.length,
      drifted: drifted.length,
      settled: settled.length,
      pending: pending.length,
    },
    drifted,
    settled,
    pending,
    followUps,
    notes,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
