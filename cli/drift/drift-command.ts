import { type Command, Option } from "commander";
import { DRIFT_FORMATS, type DriftOptions } from "./drift-options.js";

const HELP = `
Runs \`pulumi preview --refresh --expect-no-changes\` in the current project, with
the arguments after --, or reads the JSON of such a preview. It takes no lock,
writes no state, and needs no private key material; keys/get and keys/list (and
secrets/get, secrets/list) are the only permissions it needs. Several stacks are
previewed at once, and one report tells of all.

Exit codes:
  0  no drift; changes of the program that wait to be deployed are reported
  7  drift
  8  incomplete: an object could not be read, or one of several stacks not
     previewed; it is named, and the rest is reported
  other: no report could be made; Pulumi's own code where it has one

Examples:
  pulumi-keyvault drift
  pulumi-keyvault drift --stack dev prod
  pulumi-keyvault drift --stack prod --format github -- --parallel 4
  pulumi preview --refresh --show-sames --json --non-interactive > preview.json
  pulumi-keyvault drift --from preview.json --format junit`;

export function registerDrift(program: Command): void {
  program
    .command("drift")
    .summary("tell what left the recorded state")
    .description("Tells where the cloud left the state of a stack, property by property.")
    .usage("[options] [-- arguments for pulumi preview]")
    .argument("[args...]", "passed on to pulumi preview")
    .addOption(new Option("-f, --format <format>", "form of the report").choices(DRIFT_FORMATS).default("table"))
    .option("--stack <names...>", "stacks of the project (default: the selected one)")
    .option("--fleet <file>", "stacks from a JSON file, beside those of --stack")
    .option("--from <file>", "read the preview's JSON from a file; - for standard input")
    .option("--fail-on-pending", "exit code 7 for undeployed changes of the program too")
    .option("-q, --quiet", "print nothing where the exit code is 0")
    .addHelpText("after", HELP)
    .action(async (args: string[], options: DriftOptions) => {
      const { runDrift } = await import("./run-drift.js");
      process.exitCode = await runDrift(args, options);
    });
}
