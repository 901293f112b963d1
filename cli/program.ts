import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { registerAdopt } from "./adopt/adopt-command.js";
import { registerByok } from "./byok/byok-command.js";
import { registerCompletion } from "./completion/completion-command.js";
import { registerDrift } from "./drift/drift-command.js";
import { registerEmulator } from "./emulator/emulator-command.js";
import { registerInventory } from "./inventory/inventory-command.js";
import { registerReport } from "./report/report-command.js";

/** The command line. Each command loads what it needs only when it runs. */
export function createProgram(): Command {
  const program = new Command("pulumi-keyvault")
    .description(
      "Azure Key Vault under Pulumi: drift in pipelines, adoption of existing vaults, and an embedded vault.",
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
  registerByok(program);
  registerCompletion(program);
  return program;
}

/** The package.json stands two folders above the built file and one above the source. */
function packageVersion(): string {
  for (const folder of ["../..", ".."]) {
    const version = versionIn(join(__dirname, folder, "package.json"));
    if (version !== undefined) return version;
  }
  return "unknown";
}

function versionIn(path: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    const isOurs =
      manifest !== null && typeof manifest === "object" && "name" in manifest && manifest.name === "pulumi-keyvault";
    return isOurs && "version" in manifest ? String(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}
