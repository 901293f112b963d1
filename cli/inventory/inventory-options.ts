export const INVENTORY_FORMATS = ["table", "json", "csv"] as const;

export interface InventoryOptions {
  vault?: string[];
  /** A JSON file of vaults and stacks. */
  fleet?: string;
  format: (typeof INVENTORY_FORMATS)[number];
  secrets?: boolean;
  deleted?: boolean;
  versions?: boolean;
  rotation?: boolean;
  /** In milliseconds. */
  expiresWithin?: number;
  ignore?: string[];
  stack?: string[] | true;
  credential?: string;
  quiet?: boolean;
}
