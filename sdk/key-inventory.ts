import * as pulumi from "@pulumi/pulumi";
import type { InventoryKey } from "../provider/inventory/inventory-inputs.js";
import { RESOURCE_TYPES } from "./contract.js";
import { expectedInputs, INVENTORY_OUTPUTS, type InventoryArgs } from "./inventory-inputs.js";
import type { Key } from "./key.js";
import type { KeySet } from "./key-set.js";
import { resourceOptions } from "./resource-options.js";
import { settleTransformations } from "./transformed-resource.js";

export interface KeyInventoryArgs extends InventoryArgs {
  /**
   * The keys that the vault is to have: names, and the Keys and KeySets of the program, which the inventory is taken after.
   * Give the resource where there is one: it tells itself when its key is changed, so the inventory watches only
   * whether the key is there.
   */
  expect?: (pulumi.Input<string> | Key | KeySet)[];
  /** Fill `withoutRotation`. One request for each key; needs keys/getrotationpolicy. Default false. */
  rotation?: pulumi.Input<boolean>;
  /** Fill `keys`, and cut no list of names. State grows by some 150 bytes a key. Default false. */
  keys?: pulumi.Input<boolean>;
}

export type { InventoryKey };

export type InventoryList =
  | "unmanaged"
  | "missing"
  | "softDeleted"
  | "managedByCertificates"
  | "expiring"
  | "withoutRotation";

/**
 * What keys a vault holds, against what the program expects. It reads and never writes; needs keys/list.
 *
 * A refresh compares the vault with what the last update recorded. A key that appeared, vanished, was disabled or
 * enabled, soft-deleted, got a version that its rotation policy does not explain, or began to expire within
 * `expiresWithin`, is drift: `drift["<name>"]` in the preview's diff, and exit code 7 of
 * `pulumi preview --refresh --expect-no-changes`. `pulumi up --refresh` accepts it. Keys of certificates are never
 * unmanaged, and are watched only where they are expected.
 *
 * Lists of names are sorted. State holds as many names as fit 16,000 characters; `counts` tells how many there are.
 *
 * @example
 * ```ts
 * const keys = new keyvault.KeyInventory("keys", {
 *   expect: [signing, "tls"],
 *   ignore: ["temp-*"],
 *   expiresWithin: "30d",
 *   onUnmanaged: "fail",
 * });
 * export const { unmanaged, expiring } = keys;
 * ```
 */
export class KeyInventory extends pulumi.CustomResource {
  static {
    settleTransformations(KeyInventory, "keyInventory");
  }

  /** By which policy packs know it: `validateResourceOfType(KeyInventory, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.keyInventory;

  /** In the form in which the provider compares it: lower case, no slash at the end. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** All keys of the vault, those of certificates and ignored ones included. */
  declare readonly count: pulumi.Output<number>;
  /** How many names belong into each list. */
  declare readonly counts: pulumi.Output<Record<InventoryList, number>>;
  /** Keys that are neither expected nor ignored. */
  declare readonly unmanaged: pulumi.Output<string[]>;
  /** Keys that are expected and not there. */
  declare readonly missing: pulumi.Output<string[]>;
  /** Deleted keys that can be recovered. */
  declare readonly softDeleted: pulumi.Output<string[]>;
  /** Keys that a certificate of the same name has: never unmanaged. */
  declare readonly managedByCertificates: pulumi.Output<string[]>;
  /** Empty without `expiresWithin`. */
  declare readonly expiring: pulumi.Output<string[]>;
  /** Keys whose rotation policy does not rotate them. Empty without `rotation`. */
  declare readonly withoutRotation: pulumi.Output<string[]>;
  /** Lists that are empty because a permission is missing to read them. */
  declare readonly unread: pulumi.Output<InventoryList[]>;
  /** Changes with the names that are watched and, for keys without a resource, with their state and version. */
  declare readonly digest: pulumi.Output<string>;
  /** Only where `keys` asks for it. */
  declare readonly keys: pulumi.Output<InventoryKey[] | undefined>;

  constructor(name: string, args: KeyInventoryArgs = {}, opts?: pulumi.CustomResourceOptions) {
    const options = resourceOptions("keyInventory", name, opts);
    const { expect, keys, ...rest } = args ?? {};
    super(
      RESOURCE_TYPES.keyInventory,
      name,
      { ...OUTPUTS, ...rest, ...expectedInputs("key", expect), includeKeys: keys },
      options,
    );
  }
}

const OUTPUTS = { ...INVENTORY_OUTPUTS, withoutRotation: undefined, keys: undefined };
