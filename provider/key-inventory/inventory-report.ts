/** What a refresh tells of a vault whose keys left the record of a KeyInventory. */
export interface InventoryReport {
  vaultUrl: string;
  /** By name, what became of each key. */
  drift: readonly (readonly [name: string, what: string])[];
}

const PATTERN = /^the keys of (?<vaultUrl>.+?) are no longer as recorded: (?<drift>.+)$/;

/** One line for people, which {@link isInventoryReport} knows again. */
export function formatInventoryReport({ vaultUrl, drift }: InventoryReport): string {
  return `the keys of ${vaultUrl} are no longer as recorded: ${drift.map((entry) => entry.join(" ")).join(", ")}`;
}

/** The keys themselves stand in the resource's `drift`: nothing has to be read out of the line. */
export function isInventoryReport(line: string): boolean {
  return PATTERN.test(line);
}
