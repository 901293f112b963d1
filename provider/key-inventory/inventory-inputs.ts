import type { RecordedNames } from "./expected-names.js";

/** The inputs of a KeyInventory in normal form: what `check` makes of the program, and what state holds. */
export interface InventoryInputs {
  vaultUrl: string;
  /** Names of keys that the vault is to have. */
  expect?: RecordedNames;
  /** Names of keys that Key resources of the program manage. */
  expectResources?: RecordedNames;
  /** Globs over names. */
  ignore?: string[];
  onUnmanaged?: "fail";
  expiresWithin?: string;
  rotation?: true;
  includeKeys?: true;
  /**
   * By name, what became of a key since the last update. A program never says any: `read` fills it in, and so the
   * engine, which compares recorded inputs with the program's, shows each key that drifted by its name.
   */
  drift: Record<string, string>;
}

export interface InventoryOutputs extends Omit<InventoryInputs, "drift" | "includeKeys"> {
  /** All keys of the vault, those of certificates and ignored ones included. */
  count: number;
  /** How many names each list would have, had it not been cut. */
  counts: Record<NameList, number>;
  unmanaged: string[];
  missing: string[];
  softDeleted: string[];
  managedByCertificates: string[];
  expiring: string[];
  withoutRotation: string[];
  /** Lists that could not be read for lack of a permission. */
  unread: NameList[];
  digest: string;
  roll: string;
  keys?: InventoryKey[];
}

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

export const INPUTS = [
  "__provider",
  "vaultUrl",
  "expect",
  "expectResources",
  "ignore",
  "onUnmanaged",
  "expiresWithin",
  "rotation",
] as const;
