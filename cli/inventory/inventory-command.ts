import { type Command, InvalidArgumentError, Option } from "commander";
import { parsePeriod } from "../../provider/inventory/period.js";
import { INVENTORY_FORMATS, type InventoryOptions } from "./inventory-options.js";

const HELP = `
Reads lists only, never a private key or a secret's value. Needs keys/list, with
--secrets secrets/list, with --rotation keys/getrotationpolicy.

Several vaults are read at once and stand in one list. One that cannot be read
is named, and the others are listed.

The table fits the terminal, or 80 columns; for programs there are json and csv.
Nothing is printed before everything has been read.

Exit codes:
  0  all that was asked for is listed
  8  incomplete: what could not be read, a whole vault or one of its objects, is
     named on standard error
  1  nothing is listed; the code on standard error says why

Examples:
  pulumi-keyvault inventory --vault https://contoso.vault.azure.net
  pulumi-keyvault inventory --expires-within 30d --secrets
  pulumi-keyvault inventory --vault https://a.vault.azure.net \\
    https://b.vault.azure.net --format csv
  pulumi-keyvault inventory --stack prod --format json
  pulumi-keyvault inventory --deleted --versions --format csv > keys.csv`;

export function registerInventory(program: Command): void {
  program
    .command("inventory")
    .summary("list what a vault holds")
    .description("Lists the keys of a vault, with age and expiry.")
    .option("--vault <urls...>", "vaults or Managed HSMs (default: AZURE_KEYVAULT_URL)")
    .option("--fleet <file>", "vaults and stacks from a JSON file")
    .addOption(new Option("-f, --format <format>", "form of the list").choices(INVENTORY_FORMATS).default("table"))
    .option("--secrets", "secrets too")
    .option("--deleted", "deleted ones that can be recovered too")
    .option("--versions", "every version, not only the current ones; one request for each key")
    .option("--rotation", "tell keys that are not rotated; one request for each key")
    .option("--expires-within <time>", "only what expires within a time such as 30d or P30D, or has expired", period)
    .option("--ignore <globs...>", "leave out what matches")
    .option("--stack [names...]", "tell what no stack of these manages (default: the selected stack)")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("-q, --quiet", "the objects alone: no headings, no totals")
    .addHelpText("after", HELP)
    .action(async (options: InventoryOptions) => {
      const { runInventory } = await import("./run-inventory.js");
      process.exitCode = await runInventory(options);
    });
}

function period(text: string): number {
  const time = parsePeriod(text);
  if (time === undefined) throw new InvalidArgumentError("It has to be a time such as 30d or P30D.");
  return time;
}
