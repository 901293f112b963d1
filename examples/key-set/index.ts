import * as keyvault from "pulumi-keyvault";

// One resource for all devices: each file of the folder `keys` is a key of the name of the file. The folder is not part of
// the repository; where it is absent, as in a drift pipeline, the keys stay as they are recorded.
const devices = new keyvault.KeySet("devices", {
  import: { folder: "keys", match: "*.pem", passphrase: { env: "KEYS_PASS" } },
  tags: { fleet: "devices" },
  expiresOn: "2038-01-01T00:00:00Z",
  onDelete: "retain",
  // What one key has otherwise, and a key that the vault makes.
  keys: {
    "pump-2": { tags: { fleet: "devices", site: "north" } },
    gateway: { generate: { keyType: "EC", curve: "P-256" } },
  },
});

// All of them are backed up in one resource too, each again when it changes.
const backup = new keyvault.VaultBackup("devices", { keys: [devices], to: { folder: "backup" } });

// Nothing else is expected in the vault.
const vault = new keyvault.KeyInventory("vault", { expect: [devices] });

export const names = devices.names;
export const pumpVersion = devices.key("pump-1").versionId;
export const thumbprints = devices.thumbprints;
export const covered = backup.covered;
export const unmanaged = vault.unmanaged;
