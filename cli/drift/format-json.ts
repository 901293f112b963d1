import { jsonDocument } from "../text/json-text.js";
import type { DriftDocument } from "./drift-document.js";
import { type DriftReport, isComplete } from "./drift-report.js";

/** A report for programs. `format` is raised when a member changes its meaning; new members may come at any time. */
export function formatJson(report: DriftReport): string {
  const { drifted, settled, unmanaged, pending, followUps, unread, failedStacks, compared, notes } = report;
  const document: DriftDocument = {
    format: "pulumi-keyvault/drift/1",
    drift: drifted.length > 0,
    complete: isComplete(report),
    counts: {
      compared: compared.length,
      drifted: drifted.length,
      settled: settled.length,
      unmanaged: unmanaged.length,
      pending: pending.length,
      unread: unread.length,
    },
    drifted,
    settled,
    unmanaged,
    pending,
    followUps,
    unread,
    failedStacks,
    notes,
  };
  return jsonDocument(document);
}
