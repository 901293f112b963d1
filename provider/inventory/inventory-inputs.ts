/** The lists of names, the most telling first: where they are too long for a state entry, the last are cut first. */
export const NAME_LISTS = [
  "missing",
  "unmanaged",
  "expiring",
  "softDeleted",
  "withoutRotation",
  "managedByCertificates",
] as const;
export type NameList = (typeof NAME_LISTS)[number];

/** A key in the output `keys`. Moments are in ISO 8601. */
export interface InventoryKey {
  name: string;
  enabled: boolean;
  createdOn?: string;
  updatedOn?: string;
  notBefore?: string;
  expiresOn?: string;
  tags?: Record<string, string>;
  /** It belongs to a certificate. */
  managed?: true;
}

/** A secret in the output `secrets`, without its value. */
export interface InventorySecret extends InventoryKey {
  contentType?: string;
}

export const INPUTS = [
  "__provider",
  "vaultUrl",
  "credential",
  "expect",
  "expectResources",
  "ignore",
  "onUnmanaged",
  "expiresWithin",
  "rotation",
] as const;
