/**
 * The state contract. Every state file ever written holds, for each resource, the text
 * `exports.handler = () => require("pulumi-keyvault/dynamic-v1").key;` (or another export of this file), and the
 * engine runs it on refresh and destroy. Neither this module nor an export may ever be renamed or removed.
 *
 * It holds no logic, and loads nothing of `@pulumi/pulumi`.
 */
import { dynamicProvider } from "./engine/lifecycle.js";

export const key = dynamicProvider(async () => (await import("./key/key-lifecycle.js")).keyLifecycle);
export const keyBackup = dynamicProvider(async () => (await import("./backup/key-backup.js")).keyBackupLifecycle);
export const secret = dynamicProvider(async () => (await import("./secret/secret-lifecycle.js")).secretLifecycle);
export const secretBackup = dynamicProvider(
  async () => (await import("./backup/secret-backup.js")).secretBackupLifecycle,
);
export const vaultBackup = dynamicProvider(
  async () => (await import("./vault-backup/vault-backup-lifecycle.js")).vaultBackupLifecycle,
);
export const keyInventory = dynamicProvider(
  async () => (await import("./inventory/inventory-lifecycle.js")).keyInventoryLifecycle,
);
export const secretInventory = dynamicProvider(
  async () => (await import("./inventory/inventory-lifecycle.js")).secretInventoryLifecycle,
);
export const keySet = dynamicProvider(async () => (await import("./key-set/key-set-lifecycle.js")).keySetLifecycle);
