import { inParallel } from "../../provider/engine/worker-pool.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import { vaultKey } from "../../provider/keyvault/identifier.js";
import { CliError } from "../failure/cli-error.js";
import { tellProblem } from "../failure/report-failure.js";
import { type FleetVault, readFleet } from "../fleet/fleet-file.js";
import { knownToAny } from "../stack/known-objects.js";
import { openVault } from "../vault/open-vault.js";
import { describeUnread, INCOMPLETE } from "../vault/unread-object.js";
import { formatCsv } from "./format-csv.js";
import { formatJson } from "./format-json.js";
import { formatTable } from "./format-table.js";
import type { InventoryOptions } from "./inventory-options.js";
import { listVault } from "./list-vault.js";
import type { Inventory } from "./vault-listing.js";

const VAULTS_AT_ONCE = 8;

/** Reads all that was asked for, and then prints it: a failure on the way leaves no half of a list behind. */
export async function runInventory(options: InventoryOptions): Promise<number> {
  const fleet = options.fleet === undefined ? { vaults: [], stacks: [] } : await readFleet(options.fleet);
  const stacks = options.stack ?? (fleet.stacks.length > 0 ? fleet.stacks : undefined);
  const known = stacks === undefined ? undefined : await knownToAny(stacks);
  const inventory = await listVaults(options, fleet.vaults, known);
  process.stdout.write(format(inventory, options));
  for (const { vaultUrl, code, reason } of inventory.unread) {
    tellProblem("inventory", `${vaultUrl} could not be listed: ${code}: ${reason}`);
  }
  for (const { unread } of inventory.listings) {
    for (const line of describeUnread(unread)) tellProblem("inventory", line);
  }
  const isComplete = inventory.unread.length === 0 && inventory.listings.every(({ unread }) => unread.length === 0);
  return isComplete ? 0 : INCOMPLETE;
}

/** Of several vaults, one that cannot be listed is named. Where none can be, there is nothing to print. */
async function listVaults(
  options: InventoryOptions,
  ofFleet: readonly FleetVault[],
  known: Parameters<typeof listVault>[0]["known"],
): Promise<Inventory> {
  const inventory: Inventory = { listings: [], unread: [] };
  const failures: unknown[] = [];
  // However it is spelled, a vault is listed once.
  const named: FleetVault[] = [...(options.vault ?? []).map((url) => ({ url })), ...ofFleet];
  const vaults =
    named.length > 0
      ? [...new Map(named.map((vault) => [vaultKey(vault.url) ?? vault.url, vault])).values()]
      : [undefined];
  const listings = await inParallel(vaults, VAULTS_AT_ONCE, async (vault) => {
    try {
      const { vaultUrl, client } = await openVault(vault?.url, vault?.credential ?? options.credential);
      return await listVault({ vaultUrl, client, known }, options);
    } catch (error) {
      if (vault === undefined || !(isKeyVaultError(error) || error instanceof CliError)) throw error;
      failures.push(error);
      return { vaultUrl: vault.url, code: error.code, reason: error.message };
    }
  });
  for (const each of listings) {
    if ("objects" in each) inventory.listings.push(each);
    else inventory.unread.push(each);
  }
  if (inventory.listings.length === 0) throw failures[0];
  return inventory;
}

function format(inventory: Inventory, options: InventoryOptions): string {
  if (options.format === "json") return formatJson(inventory);
  if (options.format === "csv") return formatCsv(inventory);
  const { isTTY, columns } = process.stdout;
  const isQuiet = options.quiet === true;
  return formatTable(inventory, isTTY ? { width: columns, colour: process.stdout.hasColors(), isQuiet } : { isQuiet });
}
