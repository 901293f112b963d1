/** What happens to an object when its resource goes. */
export type OnDelete = "retain" | "disable" | "delete" | "purge";

export const ON_DELETE: readonly OnDelete[] = ["retain", "disable", "delete", "purge"];
export const IF_SOFT_DELETED = ["recover", "fail"] as const;

export interface Timeouts {
  create?: string;
  read?: string;
  update?: string;
  delete?: string;
}

/** The inputs that keys and secrets share, in normal form: defaults left out. */
export interface ObjectInputs {
  vaultUrl: string;
  name: string;
  /** Digest of the blob and, where it is known, the version that it brings: `sha256:… of version …`. */
  restore?: string;
  adopt?: true;
  onDelete?: OnDelete;
  ifSoftDeleted?: "fail";
  /** The version before is disabled when the program makes another. */
  previousVersions?: "disable";
  timeouts?: Timeouts;
  /** A name as `keyvault:credential` takes it, of a resource that does not sign in as the stack does. */
  credential?: string | undefined;
}

/**
 * Whether what the program leaves out is the vault's: an adopted object is taken as it is, and a restored one as it was
 * backed up. Of what the program makes itself, what it leaves out has the service's default.
 */
export function leavesRestToVault({ adopt, restore }: { adopt?: unknown; restore?: unknown }): boolean {
  return adopt === true || (restore !== undefined && restore !== null);
}
