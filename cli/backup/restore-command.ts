import type { Command } from "commander";
import type { RestoreOptions } from "./backup-options.js";

const HELP = `
Restores what \`pulumi-keyvault backup\` or a VaultBackup with \`to\` wrote, with
all versions, attributes and tags. Versions keep their ids.

Nothing is overwritten, and no version is added: a name that the vault has, a
deleted one included, is refused by name, and the others are restored. A file
that is not the one that was written is refused too. What was restored before is
refused like everything that is there, so that a restore that was cut off can be
run again.

Azure takes a backup back in the same subscription and geography only, in any of
its regions. A Managed HSM takes those of its own security domain.

Needs keys/get, keys/restore; secrets/list, secrets/restore; and to tell deleted
ones secrets/get.

Exit codes:
  0  all that was asked for is restored; with --dry-run, it could be
  8  incomplete: what was refused is named on standard error
  1  nothing is restored; the code on standard error says why

Examples:
  pulumi-keyvault restore --from backups --dry-run \\
    --vault https://contoso-standby.vault.azure.net
  pulumi-keyvault restore --from backups \\
    --vault https://contoso-standby.vault.azure.net
  pulumi-keyvault restore --from backups --keys orders-signing`;

export function registerRestore(program: Command): void {
  program
    .command("restore")
    .summary("restore a folder's backup into a vault")
    .description("Restores keys and secrets from a folder into a vault.")
    .option("--vault <url>", "vault or Managed HSM (default: AZURE_KEYVAULT_URL)")
    .requiredOption("--from <folder>", "folder of the backup")
    .option("--keys <globs...>", "keys to restore (default: all, unless --secrets is given)")
    .option("--secrets <globs...>", "secrets to restore (default: all, unless --keys is given)")
    .option("--dry-run", "look at the folder and the vault, and tell what would be restored")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("-q, --quiet", "say nothing where all went well")
    .addHelpText("after", HELP)
    .action(async (options: RestoreOptions) => {
      const { runRestore } = await import("./run-restore.js");
      process.exitCode = await runRestore(options);
    });
}
