import { counted } from "../text/counted.js";
import type { DriftReport } from "./drift-report.js";

/** One sentence about a report. */
export function summary({ drifted, pending, compared }: DriftReport): string {
  const all = counted(compared.length, "resource");
  const changes =
    pending.length === 0
      ? ""
      : ` The program has ${counted(pending.length, "pending change")}, which ${pending.length === 1 ? "is" : "are"} no drift.`;
  if (drifted.length === 0) return `No drift: ${all} compared with the cloud.${changes}`;
  return `Drift: ${drifted.length} of ${all} left the recorded state.${changes}`;
}
