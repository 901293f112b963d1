import { inParallel } from "../../provider/engine/worker-pool.js";
import { CliError } from "../failure/cli-error.js";
import { MOST_ENGINES } from "../stack/engine-run.js";
import { type DriftReport, emptyReport } from "./drift-report.js";
import { previewStack } from "./preview-stack.js";
import type { ResourceIdentity } from "./resource-identity.js";

/**
 * One report of several stacks of a project, which are previewed at once. A stack that cannot be previewed does not
 * keep the others from being reported.
 *
 * @throws CliError where none can be
 */
export async function previewStacks(stacks: readonly string[], args: readonly string[]): Promise<DriftReport> {
  const failures: CliError[] = [];
  const reports = await inParallel([...new Set(stacks)], MOST_ENGINES, async (stack) => {
    try {
      return inStack(stack, await previewStack(["--stack", stack, ...args]));
    } catch (error) {
      if (!(error instanceof CliError) || error.code === "KV_ENGINE_NOT_FOUND" || error.code === "KV_USAGE")
        throw error;
      failures.push(error);
      return {
        ...emptyReport(),
        failedStacks: [{ stack, reason: `${error.code}: ${error.message.replace(/\s*\n\s*/g, " ")}` }],
      };
    }
  });
  const [failure] = failures;
  if (failure && failures.length === reports.length) throw failure;
  return reports.reduce(together);
}

/** The report with the stack's name at each resource. */
function inStack(stack: string, report: DriftReport): DriftReport {
  const named = <T extends ResourceIdentity>(resources: readonly T[]): T[] =>
    resources.map((resource) => ({ ...resource, stack }));
  return {
    drifted: named(report.drifted),
    settled: named(report.settled),
    unmanaged: named(report.unmanaged),
    pending: named(report.pending),
    followUps: named(report.followUps),
    compared: named(report.compared),
    unread: named(report.unread),
    failedStacks: report.failedStacks,
    notes: report.notes.map((note) => `${stack}: ${note}`),
  };
}

function together(a: DriftReport, b: DriftReport): DriftReport {
  return {
    drifted: [...a.drifted, ...b.drifted],
    settled: [...a.settled, ...b.settled],
    unmanaged: [...a.unmanaged, ...b.unmanaged],
    pending: [...a.pending, ...b.pending],
    followUps: [...a.followUps, ...b.followUps],
    compared: [...a.compared, ...b.compared],
    unread: [...a.unread, ...b.unread],
    failedStacks: [...a.failedStacks, ...b.failedStacks],
    notes: [...a.notes, ...b.notes],
  };
}
