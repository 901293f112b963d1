import type * as pulumi from "@pulumi/pulumi";
import { providerText } from "./contract.js";
import { addressesInSet, type KeySet } from "./key-set.js";
import { kindOf } from "./resource-kind.js";

/** What the inventories of keys and of secrets take alike. */
export interface InventoryArgs {
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
  /** Names and globs, such as `temp-*`, of what is nobody's business. */
  ignore?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * With `fail`, an update fails with `KV_UNMANAGED` as long as the vault holds something that is neither expected nor
   * ignored, and records nothing; `pulumi up --refresh` looks in each run. Default `report`: it is listed in `unmanaged`.
   */
  onUnmanaged?: pulumi.Input<"report" | "fail">;
  /** Fill `expiring` with what expires within this time, such as `30d` or `P30D`, or has expired. */
  expiresWithin?: pulumi.Input<string>;
}

interface Expected {
  vaultUrl: pulumi.Output<string>;
  name: pulumi.Output<string>;
}

/** The names among what is expected, and the resources, after which the inventory is taken. */
export function expectedInputs<R extends Expected>(
  kind: "key" | "secret",
  expect: readonly (pulumi.Input<string> | R | KeySet)[] | undefined,
) {
  const expected = Array.isArray(expect) ? expect : [expect ?? []].flat();
  const isResource = (item: pulumi.Input<string> | R | KeySet): item is R => kindOf(item) === kind;
  const isSet = (item: pulumi.Input<string> | R | KeySet): item is KeySet =>
    kind === "key" && kindOf(item) === "keySet";
  return {
    expect: expected.filter((item) => !isResource(item) && !isSet(item)),
    expectResources: [
      ...expected.filter(isResource).map(({ vaultUrl, name }) => ({ vaultUrl, name })),
      ...expected.filter(isSet).map(addressesInSet),
    ],
    __provider: providerText(kind === "key" ? "keyInventory" : "secretInventory"),
  };
}

/** Every output has to be named, or the SDK makes none of it. */
export const INVENTORY_OUTPUTS = {
  vaultUrl: undefined,
  count: undefined,
  counts: undefined,
  unmanaged: undefined,
  missing: undefined,
  softDeleted: undefined,
  managedByCertificates: undefined,
  expiring: undefined,
  unread: undefined,
  digest: undefined,
};
