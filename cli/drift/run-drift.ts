import { appendFile, readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { shownPath } from "../../provider/material/shown-place.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";
import { readFleet } from "../fleet/fleet-file.js";
import { INCOMPLETE } from "../vault/unread-object.js";
import type { DriftFormat, DriftOptions } from "./drift-options.js";
import { type DriftReport, driftReport, isComplete } from "./drift-report.js";
import { formatGithub } from "./format-github.js";
import { formatJson } from "./format-json.js";
import { formatJunit } from "./format-junit.js";
import { formatMarkdown } from "./format-markdown.js";
import { formatTable } from "./format-table.js";
import { hasFailed, previewErrors, previewFailed } from "./preview-failure.js";
import { type Preview, parsePreview } from "./preview-json.js";
import { DRIFT, previewStack } from "./preview-stack.js";
import { previewStacks } from "./preview-stacks.js";

/** The command: makes the report, prints it, and tells the exit code. */
export async function runDrift(args: readonly string[], options: DriftOptions): Promise<number> {
  const [first] = args;
  if (first !== undefined && !first.startsWith("-")) {
    throw new CliError(
      "KV_USAGE",
      `'${first}' is no option: name a stack with --stack, and give what is for pulumi preview after --`,
    );
  }
  const report =
    options.from === undefined ? await fromEngine(args, options) : await fromFile(options.from, args, options);
  const exitCode = exitCodeOf(report, options);
  if (exitCode !== 0 || !options.quiet) await print(report, options.format);
  return exitCode;
}

function exitCodeOf(report: DriftReport, { failOnPending }: DriftOptions): number {
  const { drifted, pending } = report;
  if (!isComplete(report)) return INCOMPLETE;
  if (drifted.length > 0) return DRIFT;
  return failOnPending && pending.length > 0 ? DRIFT : 0;
}

async function fromEngine(args: readonly string[], { stack: named = [], fleet }: DriftOptions): Promise<DriftReport> {
  const stacks = fleet === undefined ? named : [...new Set([...named, ...(await stacksOfFleet(fleet))])];
  const [stack] = stacks;
  if (stack === undefined) return previewStack(args);
  if (args.some((arg) => /^(-s|--stack)(=|$)/.test(arg))) {
    throw new CliError("KV_USAGE", "the stack is named before and after --: leave one of the two out");
  }
  return stacks.length === 1 ? previewStack(["--stack", stack, ...args]) : previewStacks(stacks, args);
}

async function stacksOfFleet(file: string): Promise<string[]> {
  const { stacks } = await readFleet(file);
  if (stacks.length > 0) return stacks;
  throw new CliError("KV_USAGE", `${file} names no stack: add them as "stacks", or name one with --stack`);
}

async function fromFile(from: string, args: readonly string[], { stack, fleet }: DriftOptions): Promise<DriftReport> {
  if (stack !== undefined || fleet !== undefined) {
    throw new CliError("KV_USAGE", "--from reads the preview of one stack: leave --stack and --fleet out");
  }
  if (args.length > 0) {
    throw new CliError(
      "KV_USAGE",
      "arguments after -- are for pulumi preview, which does not run with --from: leave one of the two out",
    );
  }
  const source = from === "-" ? "standard input" : from;
  const preview = parsePreview(await readFrom(from), source);
  if (!hasFailed(preview)) return driftReport(preview);
  return partialReport(preview);
}

/**
 * What a preview tells that failed on its way: of each resource that it came to, what it found; the others are named.
 *
 * @throws CliError where it came to none
 */
function partialReport(preview: Preview): DriftReport {
  const errors = previewErrors(preview);
  const report = driftReport(preview);
  if (!report.compared.some(({ object }) => object !== undefined)) throw previewFailed(errors, 1);
  const [, stack = ""] = /^urn:pulumi:(.+?)::/.exec(preview.steps[0]?.urn ?? "") ?? [];
  const reason = errors.length === 0 ? "the preview failed" : errors.join("; ").replace(/\s+/g, " ");
  return { ...report, failedStacks: [{ stack, reason: `KV_PREVIEW_FAILED: ${reason}` }] };
}

async function readFrom(from: string): Promise<string> {
  if (from !== "-") {
    return readFile(homePath(from), "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new CliError(
        "KV_FILE",
        `${shownPath(homePath(from))} cannot be read (${error.code ?? "unknown error"}): check its name and permissions`,
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
