import * as pulumi from "@pulumi/pulumi";
import type { InventorySecret } from "../provider/inventory/inventory-inputs.js";
import { RESOURCE_TYPES } from "./contract.js";
import { expectedInputs, INVENTORY_OUTPUTS, type InventoryArgs } from "./inventory-inputs.js";
import type { InventoryList } from "./key-inventory.js";
import { resourceOptions } from "./resource-options.js";
import type { Secret } from "./secret.js";
import { settleTransformations } from "./transformed-resource.js";

export interface SecretInventoryArgs extends InventoryArgs {
  /**
   * The secrets that the vault is to have: names, and Secret resources of the program, which the inventory is taken
   * after. Give the resource where there is one: it tells itself when its secret is changed, so the inventory watches
   * only whether the secret is there.
   */
  expect?: (pulumi.Input<string> | Secret)[];
  /** Fill `secrets`, and cut no list of names. State grows by some 150 bytes a secret. Default false. */
  secrets?: pulumi.Input<boolean>;
}

export type { InventorySecret };

export type SecretInventoryList = Exclude<InventoryList, "withoutRotation">;

/**
 * What secrets a vault holds, against what the program expects. It reads lists, never a value, and never writes; needs
 * secrets/list, which a Key Vault Reader has.
 *
 * A refresh compares the vault with what the last update recorded. A secret that appeared, vanished, was disabled or
 * enabled, soft-deleted, got a new version, or began to expire within `expiresWithin`, is drift: `drift["<name>"]` in the
 * preview's diff, and exit code 7 of `pulumi preview --refresh --expect-no-changes`. `pulumi up --refresh` accepts it.
 * Secrets of certificates are never unmanaged, and are watched only where they are expected.
 *
 * Lists of names are sorted. State holds as many names as fit 16,000 characters; `counts` tells how many there are.
 *
 * @example
 * ```ts
 * const secrets = new keyvault.SecretInventory("secrets", { expect: [password, "ledger"], ignore: ["temp-*"] });
 * export const { unmanaged, missing } = secrets;
 * ```
 */
export class SecretInventory extends pulumi.CustomResource {
  static {
    settleTransformations(SecretInventory, "secretInventory");
  }

  /** By which policy packs know it: `validateResourceOfType(SecretInventory, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.secretInventory;

  /** In the form in which the provider compares it: lower case, no slash at the end. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** All secrets of the vault, those of certificates and ignored ones included. */
  declare readonly count: pulumi.Output<number>;
  /** How many names belong into each list. */
  declare readonly counts: pulumi.Output<Record<SecretInventoryList, number>>;
  /** Secrets that are neither expected nor ignored. */
  declare readonly unmanaged: pulumi.Output<string[]>;
  /** Secrets that are expected and not there. */
  declare readonly missing: pulumi.Output<string[]>;
  /** Deleted secrets that can be recovered. */
  declare readonly softDeleted: pulumi.Output<string[]>;
  /** Secrets that a certificate of the same name has: never unmanaged. */
  declare readonly managedByCertificates: pulumi.Output<string[]>;
  /** Empty without `expiresWithin`. */
  declare readonly expiring: pulumi.Output<string[]>;
  /** Lists that are empty because a permission is missing to read them. */
  declare readonly unread: pulumi.Output<SecretInventoryList[]>;
  /** Changes with the names that are watched and, for secrets without a resource, with their state and version. */
  declare readonly digest: pulumi.Output<string>;
  /** Only where `secrets` asks for it. */
  declare readonly secrets: pulumi.Output<InventorySecret[] | undefined>;

  constructor(name: string, args: SecretInventoryArgs = {}, opts?: pulumi.CustomResourceOptions) {
    const options = resourceOptions("secretInventory", name, opts);
    const { expect, secrets, ...rest } = args ?? {};
    super(
      RESOURCE_TYPES.secretInventory,
      name,
      { ...OUTPUTS, ...rest, ...expectedInputs("secret", expect), includeSecrets: secrets },
      options,
    );
  }
}

const OUTPUTS = { ...INVENTORY_OUTPUTS, secrets: undefined };
