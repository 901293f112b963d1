import * as pulumi from "@pulumi/pulumi";
import type { InventoryKey } from "../provider/key-inventory/inventory-inputs.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import type { Key } from "./key.js";
import { kindOf } from "./resource-kind.js";
import { refuseOptions, refuseTimeouts } from "./resource-options.js";

export interface KeyInventoryArgs {
  /**
   * URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another inventory.
   * Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /**
   * Who asks the vault: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`.
   * Default: as the stack says.
   */
  credential?: pulumi.Input<string>;
  /**
   * The keys that the vault is to have: names, and Key resources of the program, which the inventory is taken after.
   * Give the resource where there is one: it tells itself when its key is changed, so the inventory watches only
   * whether the key is there.
   */
  expect?: (pulumi.Input<string> | Key)[];
  /** Names and globs, such as `temp-*`, of keys that are nobody's business. */
  ignore?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * With `fail`, an update fails with `KV_UNMANAGED` as long as the vault holds a key that is neither expected nor
   * ignored, and records nothing; `pulumi up --refresh` looks in each run. Default `report`: it is listed in `unmanaged`.
   */
  onUnmanaged?: pulumi.Input<"report" | "fail">;
  /** Fill `expiring` with keys that expire within this time, such as `30d` or `P30D`, or have expired. */
  expiresWithin?: pulumi.Input<string>;
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
 */
export class KeyInventory extends pulumi.CustomResource {
  /** By which policy packs know it: `validateResourceOfType(KeyInventory, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.keyInventory;

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
    refuseOptions("keyInventory", name, opts);
    refuseTimeouts("keyInventory", name, opts);
    const { expect, keys, ...rest } = args ?? {};
    const expected = Array.isArray(expect) ? expect : [expect ?? []].flat();
    const resources = expected.filter(isKey);
    super(
      RESOURCE_TYPES.keyInventory,
      name,
      {
        ...OUTPUTS,
        ...rest,
        expect: expected.filter((key) => !isKey(key)),
        expectResources: resources.map((key) => ({ vaultUrl: key.vaultUrl, name: key.name })),
        includeKeys: keys,
        __provider: providerText("keyInventory"),
      },
      opts,
    );
  }
}

function isKey(item: pulumi.Input<string> | Key): item is Key {
  return kindOf(item) === "key";
}

/** Every output has to be named, or the SDK makes none of it. */
const OUTPUTS = {
  vaultUrl: undefined,
  count: undefined,
  counts: undefined,
  unmanaged: undefined,
  missing: undefined,
  softDeleted: undefined,
  managedByCertificates: undefined,
  expiring: undefined,
  withoutRotation: undefined,
  unread: undefined,
  digest: undefined,
  keys: undefined,
};
