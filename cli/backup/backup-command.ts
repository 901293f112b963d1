import type { Command } from "commander";
import type { BackupOptions } from "./backup-options.js";

const HELP = `
Writes a file for each key and secret, with all its versions, and a manifest
(vault-backup.json): the folder that a VaultBackup with \`to\` writes. Only the
service can open the blobs; they are readable by their owner only. Values of
secrets are not read.

A folder that holds an earlier backup of the same vault is brought up to date:
what has changed is taken again, and what the vault no longer has is kept. The
folder of a stack is left to it.

Globs are names with *, ?, [a-z], {a,b} and a leading ! for what to leave out.
Without --keys and --secrets all is backed up, with one of them that kind alone.
Keys and secrets of certificates have to be named.

Needs keys/get, keys/list, keys/backup; secrets/list, secrets/backup.

Exit codes:
  0  all that was asked for is in the folder
  8  incomplete: what failed is named on standard error, the rest is there
  1  nothing is backed up; the code on standard error says why

Examples:
  pulumi-keyvault backup --vault https://contoso.vault.azure.net --to backups
  pulumi-keyvault backup --to backups --keys "orders-*" "!orders-test"
  pulumi-keyvault backup --to backups --secrets "*"`;

export function registerBackup(program: Command): void {
  program
    .command("backup")
    .summary("back up a vault into a folder")
    .description("Backs up the keys and secrets of a vault into a folder.")
    .option("--vault <url>", "vault or Managed HSM (default: AZURE_KEYVAULT_URL)")
    .requiredOption("--to <folder>", "folder of the backup, made where there is none")
    .option("--keys <globs...>", "keys to back up (default: all, unless --secrets is given)")
    .option("--secrets <globs...>", "secrets to back up (default: all, unless --keys is given)")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("-q, --quiet", "say nothing where all went well")
    .addHelpText("after", HELP)
    .action(async (options: BackupOptions) => {
      const { runBackup } = await import("./run-backup.js");
      process.exitCode = await runBackup(options);
    });
}
