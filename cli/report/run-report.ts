import { readFile, stat } from "node:fs/promises";
import { tellProblem } from "../failure/report-failure.js";
import { refuseExisting, writeFiles } from "../files/write-files.js";
import { writtenPath } from "../files/written-path.js";
import { counted } from "../text/counted.js";
import { jsonDocument } from "../text/json-text.js";
import { INCOMPLETE } from "../vault/unread-object.js";
import { formatHtml, PAGE_MARK } from "./format-html.js";
import { readReport } from "./read-report.js";
import type { ReportDocument } from "./report-document.js";
import type { ReportOptions } from "./report-options.js";

/** Reads all, and then writes: a failure on the way leaves no half of a report behind. */
export async function runReport(options: ReportOptions): Promise<number> {
  const output = options.output ?? (options.format === "json" ? "-" : "keyvault-report.html");
  const path = writtenPath(output);
  const mayOverwrite = async (): Promise<boolean> => options.force === true || (await isEarlierReport(path));
  if (output !== "-") await refuseExisting([{ path }], await mayOverwrite());
  const report = await readReport(options);
  const text = options.format === "json" ? jsonDocument(report) : formatHtml(report);
  if (output === "-") process.stdout.write(text);
  else {
    await writeFiles([{ path, content: text }], await mayOverwrite());
    if (!options.quiet) process.stderr.write(`${summary(report)}: ${output}\n`);
  }
  for (const { what, code, reason } of report.unread) tellProblem("report", `${what}: ${code}: ${reason}`);
  return report.complete ? 0 : INCOMPLETE;
}

/** A report of an earlier run is written again; any other file stays. */
async function isEarlierReport(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return false;
  const text = await readFile(path, "utf8").catch(() => "");
  return text.startsWith(PAGE_MARK) || text.startsWith('{\n  "format": "pulumi-keyvault/report/1"');
}

function summary({ objects, vaults }: ReportDocument): string {
  const concerned = objects.filter(({ concerns }) => concerns.length > 0).length;
  return `${counted(objects.length, "object")} of ${vaults.length === 1 ? "one vault" : `${vaults.length} vaults`}, ${concerned} to look at`;
}
