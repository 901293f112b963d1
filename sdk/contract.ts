/**
 * The provider text that a resource carries into state, where other tools keep a megabyte of serialized code. The
 * engine runs it whenever it needs the resource's lifecycle. It can never change: old states hold it.
 */
export function providerText(
  lifecycle:
    | "key"
    | "keyBackup"
    | "keyInventory"
    | "keySet"
    | "secret"
    | "secretBackup"
    | "secretInventory"
    | "vaultBackup",
): string {
  return `exports.handler = () => require("pulumi-keyvault/dynamic-v1").${lifecycle};`;
}

/** The resource types, as they stand in URNs. They can never change either. */
export const RESOURCE_TYPES = {
  key: "pulumi-nodejs:dynamic/keyvault:Key",
  keyBackup: "pulumi-nodejs:dynamic/keyvault:KeyBackup",
  keyInventory: "pulumi-nodejs:dynamic/keyvault:KeyInventory",
  keySet: "pulumi-nodejs:dynamic/keyvault:KeySet",
  secret: "pulumi-nodejs:dynamic/keyvault:Secret",
  secretBackup: "pulumi-nodejs:dynamic/keyvault:SecretBackup",
  secretInventory: "pulumi-nodejs:dynamic/keyvault:SecretInventory",
  vaultBackup: "pulumi-nodejs:dynamic/keyvault:VaultBackup",
} as const;
