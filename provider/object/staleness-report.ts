/** What a refresh tells of a backup that no longer covers what it was taken of. */
export interface StalenessReport {
  /** `key "orders" in https://v.vault.azure.net`, or the vault of a VaultBackup. */
  label: string;
  reason: string;
}

const PATTERN = /^the backup of (?<label>.+?) is stale: (?<reason>.+)$/;

/** One line for people, which {@link parseStalenessReport} reads back. */
export function formatStalenessReport({ label, reason }: StalenessReport): string {
  return `the backup of ${label} is stale: ${reason}`;
}

/** Undefined for any other line. */
export function parseStalenessReport(line: string): StalenessReport | undefined {
  const { label, reason } = PATTERN.exec(line)?.groups ?? {};
  return label === undefined || reason === undefined ? undefined : { label, reason };
}
