import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "pulumi-keyvault";

/**
 * What every vault of the fleet holds: the program of one stack, which `fleet.js` runs once for each vault.
 *
 * @param {string} vaultUrl
 */
export function keysOf(vaultUrl) {
  const tags = { fleet: "orders" };
  const signing = new keyvault.Key("signing", {
    vaultUrl,
    name: "orders-signing",
    generate: { keyType: "EC", curve: "P-256" },
    tags,
  });
  const wrapping = new keyvault.Key("wrapping", {
    vaultUrl,
    name: "orders-wrapping",
    generate: { keyType: "RSA", keySize: 3072 },
    keyOps: ["wrapKey", "unwrapKey"],
    tags,
  });
  // Beyond a few hundred keys in a vault, one KeySet in place of them.
  const backup = new keyvault.VaultBackup("backup", { vaultUrl, keys: [signing, wrapping] });
  return { signing: signing.versionId, wrapping: wrapping.versionId, backup: pulumi.secret(backup.blobs) };
}
