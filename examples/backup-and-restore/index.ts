import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "pulumi-keyvault";

// The vault is that of the stack's configuration, keyvault:vaultUrl.
const config = new pulumi.Config();

const signing = new keyvault.Key("signing", {
  name: "orders-signing",
  generate: { keyType: "EC", curve: "P-256" },
  tags: { team: "orders" },
});
const wrapping = new keyvault.Key("wrapping", { name: "orders-wrapping", generate: { keyType: "RSA" } });
const password = new keyvault.Secret("database", {
  name: "orders-database",
  value: config.requireSecret("databasePassword"),
});

// Everything in the vault, also what this program does not manage. What it does manage is given too: a change of it is
// backed up in the same update, and changes made by others when the stack is refreshed.
const vault = new keyvault.VaultBackup("vault", {
  keys: ["*", signing, wrapping],
  secrets: ["*", password],
});

// One key for the safe: a file that only its owner can read, and that state does not hold.
const escrow = new keyvault.KeyBackup("signing", { key: signing, to: { folder: "escrow" } });

export const backup = vault.restorable;
export const covered = vault.covered;
export const takenOn = vault.takenOn;
export const escrowFile = escrow.file;
