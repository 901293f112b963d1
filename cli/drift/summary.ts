import { counted } from "../text/counted.js";
import type { DriftReport } from "./drift-report.js";

/** Some sentences about a report. */
export function summary({ drifted, pending, compared, unread, failedStacks }: DriftReport): string {
  const all = counted(compared.length, "resource");
  const changes =
    pending.length === 0
      ? ""
      : ` The program has ${counted(pending.length, "pending change")}, which ${pending.length === 1 ? "is" : "are"} no drift.`;
  const missing = [
    ...(unread.length === 0 ? [] : [`${counted(unread.length, "object")} could not be read`]),
    ...(failedStacks.length === 0
      ? []
      : [`${counted(failedStacks.length, "stack")} could not be previewed to the end`]),
  ];
  const lost = missing.length === 0 ? "" : ` Incomplete: ${missing.join(", ")}.`;
  if (drifted.length === 0) return `No drift: ${all} compared with the cloud.${lost}${changes}`;
  return `Drift: ${drifted.length} of ${all} left the recorded state.${lost}${changes}`;
}
