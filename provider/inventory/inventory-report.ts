/** What a refresh tells of a vault whose keys or secrets left the record of an inventory. */
export interface InventoryReport {
  collection: "keys" | "secrets";
  vaultUrl: string;
  /** By name, what became of each. */
  drift: readonly (readonly [name: string, what: string])[];
}

const PATTERN = /^the (?:keys|secrets) of (?<vaultUrl>.+?) are no longer as recorded: (?<drift>.+)$/;

/** One line for people, which {@link isInventoryReport} knows again. */
export function formatInventoryReport({ collection, vaultUrl, drift }: InventoryReport): string {
  return `the ${collection} of ${vaultUrl} are no longer as recorded: ${drift.map((entry) => entry.join(" ")).join(", ")}`;
}

/** The objects themselves stand in the resource's `drift`: nothing has to be read out of the line. */
export function isInventoryReport(line: string): boolean {
  return PATTERN.test(line);
}
