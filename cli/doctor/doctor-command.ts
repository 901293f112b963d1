import { type Command, InvalidArgumentError, Option } from "commander";
import { DOCTOR_FORMATS, type DoctorOptions } from "./doctor-options.js";

const HELP = `
Looks at this machine (Node, engine, SDK), at the way to the vault (name,
connection, TLS, firewall, clock), at who signs in, and at what that identity
may do. For what does not work it says what to do.

Nothing is written. Permissions are asked with requests that cannot change the
vault: lists, and reads of names that are not there, which are answered with 404
where they are allowed and with 403 where not. What only a write would tell is
told as "not tried", with the role that has it. No value of a secret is read. A
role on a single key does not show: the names that are asked for are none.

Exit codes:
  0  all that was looked at works
  7  something does not, or a permission of --require is not there
  1  nothing could be looked at; the code on standard error says why

Examples:
  pulumi-keyvault doctor --vault https://contoso.vault.azure.net
  pulumi-keyvault doctor --credential azure-cli
  pulumi-keyvault doctor --require keys/list keys/get --json
  pulumi-keyvault doctor --vault embedded:./dev.vault`;

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .summary("tell what works between here and a vault")
    .description("Tells what works between this machine and a vault, what does not, and what to do.")
    .option("--vault <url>", "vault or Managed HSM (default: AZURE_KEYVAULT_URL)")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("--require <permissions...>", "exit code 7 without these, such as keys/get keys/backup")
    .addOption(
      new Option("--timeout <seconds>", "for each look at the network and the vault")
        .argParser(seconds)
        .default(20_000, "20"),
    )
    .addOption(new Option("-f, --format <format>", "form of the report").choices(DOCTOR_FORMATS).default("table"))
    .option("--json", "the same as --format json")
    .addHelpText("after", HELP)
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("./run-doctor.js");
      process.exitCode = await runDoctor(options);
    });
}

function seconds(text: string): number {
  const number = Number(text);
  if (number >= 0.1 && number <= 600) return Math.round(number * 1000);
  throw new InvalidArgumentError("It has to be a number of seconds from 0.1 to 600.");
}
