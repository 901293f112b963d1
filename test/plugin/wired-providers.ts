import { wiredProvider } from "./wired-provider.js";

/** Every resource through the plugin, under the names that the dynamic provider has for them. */
export const typeOf = (className: string): string => `keyvault:index:${className}`;
export const key = wiredProvider("Key");
export const keyBackup = wiredProvider("KeyBackup");
export const keyInventory = wiredProvider("KeyInventory");
export const keySet = wiredProvider("KeySet");
export const secret = wiredProvider("Secret");
export const secretBackup = wiredProvider("SecretBackup");
export const secretInventory = wiredProvider("SecretInventory");
export const vaultBackup = wiredProvider("VaultBackup");
