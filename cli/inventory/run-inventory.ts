import { tellProblem } from "../failure/report-failure.js";
import { knownObjects } from "../stack/known-objects.js";
import { openVault } from "../vault/open-vault.js";
import { describeUnread, INCOMPLETE } from "../vault/unread-object.js";
import { formatCsv } from "./format-csv.js";
import { formatJson } from "./format-json.js";
import { formatTable } from "./format-table.js";
import type { InventoryOptions } from "./inventory-options.js";
import { listVault } from "./list-vault.js";
import type { VaultListing } from "./vault-listing.js";

/** Reads all that was asked for, and then prints it: a failure on the way leaves no half of a list behind. */
export async function runInventory(options: InventoryOptions): Promise<number> {
  const { vaultUrl, client } = await openVault(options.vault, options.credential);
  const known = options.stack === undefined ? undefined : await knownObjects(options.stack);
  const listing = await listVault({ vaultUrl, client, known }, options);
  process.stdout.write(format(listing, options));
  for (const line of describeUnread(listing.unread)) tellProblem("inventory", line);
  return listing.unread.length > 0 ? INCOMPLETE : 0;
}

function format(listing: VaultListing, options: InventoryOptions): string {
  if (options.format === "json") return formatJson(listing);
  if (options.format === "csv") return formatCsv(listing);
  const { isTTY, columns } = process.stdout;
  return formatTable(listing, isTTY ? { width: columns, colour: process.stdout.hasColors() } : {});
}
