import type { Command } from "commander";
import type { AdoptOptions } from "./adopt-options.js";

const HELP = `
Reads keys and secrets, writes nothing to the vault, and never reads a private
key or a secret's value. Needs keys/list and keys/get, secrets/list, and
keys/getrotationpolicy for rotation policies.

Left out, with a comment in the program: objects of certificates, and deleted
ones that can be recovered. Adopted objects get onDelete "retain".

Globs match names, or collection and name: --only 'keys/orders-*' 'secrets/*'.

Then:
  pulumi import --file keyvault-import.json --yes --protect=false \\
    --generate-code=false
  pulumi preview --refresh --expect-no-changes

With --plugin, pulumi import writes the program, in the project's language:
  pulumi import --file keyvault-import.json --yes --protect=false --out FILE

Exit codes:
  0  written, or there is nothing to adopt
  8  incomplete: what could not be read is left out, and named on standard error
  1  nothing was written; the code on standard error says why

Examples:
  pulumi-keyvault adopt --vault https://contoso.vault.azure.net
  pulumi-keyvault adopt --vault https://contoso.vault.azure.net --only 'keys/*'
  pulumi-keyvault adopt --vault https://contoso.vault.azure.net --set devices
  pulumi-keyvault adopt --vault https://contoso.vault.azure.net --stack prod \\
    --program new-keys.ts`;

export function registerAdopt(program: Command): void {
  program
    .command("adopt")
    .summary("put an existing vault under a program")
    .description("Writes a TypeScript program that matches a vault, and the file with which Pulumi imports it.")
    .option("--vault <url>", "the vault or Managed HSM (default: AZURE_KEYVAULT_URL)")
    .option("--only <globs...>", "adopt only what matches")
    .option("--ignore <globs...>", "leave out what matches")
    .option("--program <file>", "where the program is written", "index.ts")
    .option(
      "--import-file <file>",
      "where the import file is written (default: keyvault-import.json, or PROGRAM-import.json beside a program of another name)",
    )
    .option("--plugin", "for a program of the plugin, in any language: write the import file alone")
    .option("--set [name]", "all keys in one KeySet (default name: keys): for thousands of them")
    .option("--stack [name]", "leave out what this stack has already (default: the selected stack)")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("--force", "overwrite both files")
    .option("-q, --quiet", "print only what could not be read")
    .addHelpText("after", HELP)
    .action(async (options: AdoptOptions) => {
      const { runAdopt } = await import("./run-adopt.js");
      process.exitCode = await runAdopt(options);
    });
}
