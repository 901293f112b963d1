import { CliError } from "../failure/cli-error.js";
import { type EngineRun, runEngine } from "../stack/engine-run.js";
import { type DriftReport, driftReport, type UnreadResource } from "./drift-report.js";
import { hasFailed, inOneLine, previewErrors, previewFailed, unreadIn } from "./preview-failure.js";
import { type Preview, parsePreview } from "./preview-json.js";

/** The engine's exit code for changes that were not expected, and the command's for drift. */
export const DRIFT = 7;

const FLAGS = ["--expect-no-changes", "--non-interactive", "--json"];
const PREVIEW = ["preview", "--refresh", "--show-sames", ...FLAGS];
const REFRESH = ["refresh", "--preview-only", ...FLAGS];

/** Each round leaves out at least one object more. In a vault that answers for none, the first few tell enough. */
const MOST_ROUNDS = 6;

/** How the last round ended, and which objects it had to leave out. */
interface Outcome {
  run: EngineRun;
  preview: Preview | undefined;
  unread: Map<string, UnreadResource>;
}

/**
 * Asks the engine what a stack's preview with refresh finds. The engine ends at the first object that it cannot read:
 * the preview is made again without those, and they are named in the report.
 *
 * @throws CliError `KV_PREVIEW_FAILED`, `KV_ENGINE_NOT_FOUND`
 */
export async function previewStack(args: readonly string[]): Promise<DriftReport> {
  if (args.some((arg) => /^--show-secrets\b(?!=false)/.test(arg))) {
    throw new CliError("KV_USAGE", "--show-secrets is not passed on: a drift report never holds a secret");
  }
  const outcome = await runAround([...PREVIEW, ...args], new Map());
  const report = reportOf(outcome);
  if (report) return report;
  const { run, preview, unread } = outcome;
  const errors = preview ? previewErrors(preview) : [];
  if (errors.length === 0) errors.push(...engineErrors(run));
  // A program that fails without its secrets or key material hides drift: the refresh alone does not run it.
  if (preview && preview.steps.length > 0) {
    const withoutProgram = reportOf(await runAround([...REFRESH, ...args], unread));
    if (withoutProgram && withoutProgram.drifted.length > 0) {
      withoutProgram.notes.push(`the program could not be previewed, so this is drift alone: ${inOneLine(errors)}`);
      return withoutProgram;
    }
  }
  const reasons = [...unread.values()].map(({ reason }) => reason);
  throw previewFailed(
    [...new Set([...reasons, ...errors])],
    run.exitCode === 0 || run.exitCode === DRIFT ? 1 : run.exitCode,
  );
}

async function runAround(args: readonly string[], known: ReadonlyMap<string, UnreadResource>): Promise<Outcome> {
  const unread = new Map(known);
  for (let round = 1; ; round++) {
    const excluded = [...unread.keys()].flatMap((urn) => ["--exclude", urn]);
    const run = await runEngine([...args, ...excluded]);
    const preview = previewOf(run);
    const lost = preview ? unreadIn(preview).filter(({ urn }) => !unread.has(urn)) : [];
    if (lost.length === 0 || round === MOST_ROUNDS) return { run, preview, unread };
    for (const resource of lost) unread.set(resource.urn, resource);
  }
}

/** Undefined where there is nothing to report: the run failed otherwise, or not one object could be read. */
function reportOf({ run, preview, unread }: Outcome): DriftReport | undefined {
  const isComplete = (run.exitCode === 0 || run.exitCode === DRIFT) && preview !== undefined && !hasFailed(preview);
  if (!isComplete) return undefined;
  const report = driftReport(preview);
  report.unread.push(...unread.values());
  const isOfNothing = unread.size > 0 && !report.compared.some(({ object }) => object !== undefined);
  return isOfNothing ? undefined : report;
}

function previewOf(run: EngineRun): Preview | undefined {
  return run.stdout.trimStart().startsWith("{") ? parsePreview(run.stdout, "the output of pulumi") : undefined;
}

function engineErrors({ stderr }: EngineRun): string[] {
  const lines = stderr.split("\n").map((line) => line.replace(/^error: /, "").trim());
  return lines.filter((line) => line !== "" && !line.startsWith("no changes were expected"));
}
