import { Command } from "commander";
import { registerAdopt } from "./adopt/adopt-command.js";
import { registerBackup } from "./backup/backup-command.js";
import { registerRestore } from "./backup/restore-command.js";
import { registerByok } from "./byok/byok-command.js";
import { registerCompletion } from "./completion/completion-command.js";
import { registerDoctor } from "./doctor/doctor-command.js";
import { registerDrift } from "./drift/drift-command.js";
import { registerEmulator } from "./emulator/emulator-command.js";
import { registerInventory } from "./inventory/inventory-command.js";
import { packageVersion } from "./package-version.js";
import { registerReport } from "./report/report-command.js";

/** The command line. Each command loads what it needs only when it runs. */
export function createProgram(): Command {
  const program = new Command("pulumi-keyvault")
    .description(
      "Azure Key Vault under Pulumi: drift, adoption, inventories, backups, a doctor, and an embedded vault.",
    )
    .version(packageVersion())
    // What is wrong with the arguments is told with every other failure, in one form.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  registerEmulator(program);
  registerDrift(program);
  registerAdopt(program);
  registerInventory(program);
  registerReport(program);
  registerBackup(program);
  registerRestore(program);
  registerByok(program);
  registerDoctor(program);
  registerCompletion(program);
  return program;
}
