import { appendFile, readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";
import { type EngineRun, runEngine } from "../stack/engine-run.js";
import type { DriftFormat, DriftOptions } from "./drift-options.js";
import { type DriftReport, driftReport } from "./drift-report.js";
import { formatGithub } from "./format-github.js";
import { formatJson } from "./format-json.js";
import { formatJunit } from "./format-junit.js";
import { formatMarkdown } from "./format-markdown.js";
import { formatTable } from "./format-table.js";
import { previewErrors, previewFailed } from "./preview-failure.js";
import { type Preview, parsePreview } from "./preview-json.js";

const DRIFT = 7;
const FLAGS = ["--expect-no-changes", "--non-interactive", "--json"];

/** The command: makes the report, prints it, and tells the exit code. */
export async function runDrift(args: readonly string[], options: DriftOptions): Promise<number> {
  const report = options.from === undefined ? await fromEngine(args) : await fromFile(options.from, args);
  await print(report, options.format);
  if (report.drifted.length > 0) return DRIFT;
  return options.failOnPending && report.pending.length > 0 ? DRIFT : 0;
}

async function fromFile(from: string, args: readonly string[]): Promise<DriftReport> {
  if (args.length > 0) {
    throw new CliError(
      "KV_USAGE",
      "arguments after -- are for pulumi preview, which does not run with --from: leave one of the two out",
    );
  }
  const source = from === "-" ? "standard input" : from;
  const preview = parsePreview(await readFrom(from), source);
  const errors = previewErrors(preview);
  if (hasFailed(preview)) throw previewFailed(errors, 1);
  return driftReport(preview);
}

async function readFrom(from: string): Promise<string> {
  if (from !== "-") {
    return readFile(homePath(from), "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new CliError(
        "KV_FILE",
        `${from} cannot be read (${error.code ?? "unknown error"}): check its name and permissions`,
      );
    });
  }
  if (process.stdin.isTTY) {
    throw new CliError(
      "KV_USAGE",
      "--from - reads the preview from standard input, and that is a terminal: pipe `pulumi preview --refresh --json --non-interactive` into it",
    );
  }
  return readAll(process.stdin);
}

async function fromEngine(args: readonly string[]): Promise<DriftReport> {
  if (args.some((arg) => /^--show-secrets\b(?!=false)/.test(arg))) {
    throw new CliError("KV_USAGE", "--show-secrets is not passed on: a drift report never holds a secret");
  }
  const run = await runEngine(["preview", "--refresh", "--show-sames", ...FLAGS, ...args]);
  const preview = previewOf(run);
  if (preview && isComplete(run, preview)) return driftReport(preview);
  const errors = preview ? previewErrors(preview) : [];
  if (errors.length === 0) errors.push(...engineErrors(run));
  // A program that fails without its secrets or key material hides drift: the refresh alone does not run it.
  const withoutProgram = preview && preview.steps.length > 0 ? await fromRefresh(args) : undefined;
  if (withoutProgram && withoutProgram.drifted.length > 0) {
    withoutProgram.notes.push(`the program could not be previewed, so this is drift alone: ${errors.join("; ")}`);
    return withoutProgram;
  }
  throw previewFailed(errors, run.exitCode === 0 || run.exitCode === DRIFT ? 1 : run.exitCode);
}

async function fromRefresh(args: readonly string[]): Promise<DriftReport | undefined> {
  const run = await runEngine(["refresh", "--preview-only", ...FLAGS, ...args]);
  const preview = previewOf(run);
  return preview && isComplete(run, preview) ? driftReport(preview) : undefined;
}

function previewOf(run: EngineRun): Preview | undefined {
  return run.stdout.trimStart().startsWith("{") ? parsePreview(run.stdout, "the output of pulumi") : undefined;
}

function isComplete(run: EngineRun, preview: Preview): boolean {
  return (run.exitCode === 0 || run.exitCode === DRIFT) && !hasFailed(preview);
}

function hasFailed({ diagnostics }: Preview): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

function engineErrors({ stderr }: EngineRun): string[] {
  const lines = stderr.split("\n").map((line) => line.replace(/^error: /, "").trim());
  return lines.filter((line) => line !== "" && !line.startsWith("no changes were expected"));
}

const FORMATS: Record<DriftFormat, (report: DriftReport) => string> = {
  table: (report) =>
    formatTable(report, {
      width: Math.min(Math.max(process.stdout.columns ?? 80, 60), 140),
      colour: process.stdout.isTTY === true && process.stdout.hasColors(),
    }),
  json: formatJson,
  github: formatGithub,
  junit: formatJunit,
  markdown: formatMarkdown,
};

async function print(report: DriftReport, format: DriftFormat): Promise<void> {
  process.stdout.write(FORMATS[format](report));
  const summaryFile = process.env.GITHUB_STEP_SUMMARY;
  if (format !== "github" || !summaryFile) return;
  await appendFile(summaryFile, formatMarkdown(report)).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(
      "KV_FILE",
      `the job summary ${summaryFile} cannot be written (${error.code ?? "unknown error"})`,
    );
  });
}
