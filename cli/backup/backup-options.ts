/** Of `backup` and `restore`: which vault, and which part of it. */
export interface VaultPart {
  vault?: string;
  keys?: string[];
  secrets?: string[];
  credential?: string;
  quiet?: boolean;
}

export interface BackupOptions extends VaultPart {
  to: string;
}

export interface RestoreOptions extends VaultPart {
  from: string;
  dryRun?: boolean;
}
