import { type Command, InvalidArgumentError, Option } from "commander";
import { parsePeriod } from "../../provider/inventory/period.js";
import { REPORT_FORMATS, type ReportOptions } from "./report-options.js";

const HELP = `
Writes one page that needs nothing else: no network, no server. Open it in a
browser, send it, print it. It tells keys and secrets by type, age, expiry,
rotation, owner and backup, what is unmanaged, and what is deleted with the days
that are left. Reads neither a private key nor a secret's value.

Needs keys/list, keys/get (for types) and keys/getrotationpolicy; secrets/list.

Exit codes:
  0  the report is complete
  8  incomplete: what could not be read is named in it and on standard error
  1  no report; the code on standard error says why

Examples:
  pulumi-keyvault report --vault https://contoso.vault.azure.net
  pulumi-keyvault report --fleet fleet.json --stack prod -o vaults.html
  pulumi preview --refresh --json --non-interactive > preview.json
  pulumi-keyvault report --stack --drift preview.json
  pulumi-keyvault report --vault https://contoso.vault.azure.net --format json`;

export function registerReport(program: Command): void {
  program
    .command("report")
    .summary("write a page about one or many vaults")
    .description("Writes a page about the keys and secrets of vaults.")
    .option("--vault <urls...>", "vaults or Managed HSMs (default: AZURE_KEYVAULT_URL)")
    .option("--fleet <file>", "vaults and stacks from a JSON file")
    .option("--stack [names...]", "tell what these stacks manage and back up (default: the selected stack)")
    .option("--drift <file>", "what `pulumi preview --refresh --json` printed")
    .addOption(new Option("-f, --format <format>", "form of the report").choices(REPORT_FORMATS).default("html"))
    .option("-o, --output <file>", "where to, - for standard output (default: keyvault-report.html)")
    .option("--force", "overwrite a file that is no earlier report")
    .addOption(
      new Option("--expires-within <time>", "what expires within this time expires soon")
        .argParser(period)
        .default(period("30d"), "30d"),
    )
    .option("--ignore <globs...>", "leave out what matches")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("-q, --quiet", "say nothing where all went well")
    .addHelpText("after", HELP)
    .action(async (options: ReportOptions) => {
      const { runReport } = await import("./run-report.js");
      process.exitCode = await runReport(options);
    });
}

function period(text: string): number {
  const time = parsePeriod(text);
  if (time === undefined) throw new InvalidArgumentError("It has to be a time such as 30d or P30D.");
  return time;
}
