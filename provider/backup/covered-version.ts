/** What a backup covers: the newest version of an object, and when that was last changed, in ISO 8601. */
export interface CoveredVersion {
  version: string;
  /** Left out where the service did not tell it. */
  updatedOn?: string;
}

/** The one text that the state of a VaultBackup holds for each object. */
export function formatCovered({ version, updatedOn = "" }: CoveredVersion): string {
  return `${version} ${updatedOn}`;
}

export function parseCovered(text: string): CoveredVersion {
  const [version = "", updatedOn = ""] = text.split(" ");
  return coveredVersion(version, updatedOn);
}

/** With a moment that may not be known: empty text or undefined. */
export function coveredVersion(version: string, updatedOn: string | undefined): CoveredVersion {
  return updatedOn ? { version, updatedOn } : { version };
}
