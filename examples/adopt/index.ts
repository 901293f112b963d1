// Written by `pulumi-keyvault adopt` from the vault as it was. It is yours to edit.
//
// onDelete is "retain" until you decide otherwise: removing a resource here leaves the object in the vault.
import * as keyvault from "pulumi-keyvault";

const vaultUrl = "embedded:./adopt.vault";

/** RSA 3072, made on 2026-11-23 */
const billingLegacy = new keyvault.Key("Billing-Legacy", {
  vaultUrl,
  name: "Billing-Legacy",
  enabled: false,
  keyOps: ["decrypt", "unwrapKey"],
  adopt: true,
  onDelete: "retain",
});

/** RSA-HSM 2048, made on 2026-11-23 */
const diskEncryption = new keyvault.Key("disk-encryption", {
  vaultUrl,
  name: "disk-encryption",
  adopt: true,
  onDelete: "retain",
});

/** EC P-256, made on 2026-11-23, expires on 2090-06-30 */
const ordersSigning = new keyvault.Key("orders-signing", {
  vaultUrl,
  name: "orders-signing",
  expiresOn: "2090-06-30T00:00:00Z",
  tags: { team: "orders" },
  adopt: true,
  onDelete: "retain",
});

/** secret, made on 2026-11-23 */
const ordersDatabase = new keyvault.Secret("orders-database", {
  vaultUrl,
  name: "orders-database",
  contentType: "text/plain",
  tags: { team: "orders" },
  adopt: true,
  onDelete: "retain",
});

/** secret, made on 2026-11-23, expires on 2090-06-30 */
const ordersSigningSecret = new keyvault.Secret("orders-signing", {
  vaultUrl,
  name: "orders-signing",
  expiresOn: "2090-06-30T00:00:00Z",
  adopt: true,
  onDelete: "retain",
});
