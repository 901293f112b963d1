import type { KeyVaultClient } from "../keyvault/client.js";
import type { DeletedKeyItem, KeyItem } from "../keyvault/key-bundle.js";
import type { DeletedSecretItem, SecretItem } from "../keyvault/secret-bundle.js";
import { NAME_LISTS, type NameList } from "./inventory-inputs.js";

/** What makes the inventory of keys one of keys, and that of secrets one of secrets. */
export interface InventoryKind {
  readonly resource: "KeyInventory" | "SecretInventory";
  readonly noun: "key" | "secret";
  readonly collection: "keys" | "secrets";
  /** The input that asks for the objects themselves, which then are the output {@link collection}. */
  readonly include: "includeKeys" | "includeSecrets";
  readonly lists: readonly NameList[];
  /** Whether the objects have rotation policies, which explain versions that nobody made. */
  readonly hasPolicies: boolean;
  listed(client: KeyVaultClient): AsyncIterable<KeyItem | SecretItem>;
  deleted(client: KeyVaultClient): AsyncIterable<DeletedKeyItem | DeletedSecretItem>;
}

export const KEYS: InventoryKind = {
  resource: "KeyInventory",
  noun: "key",
  collection: "keys",
  include: "includeKeys",
  lists: NAME_LISTS,
  hasPolicies: true,
  listed: (client) => client.getKeys(),
  deleted: (client) => client.getDeletedKeys(),
};

export const SECRETS: InventoryKind = {
  resource: "SecretInventory",
  noun: "secret",
  collection: "secrets",
  include: "includeSecrets",
  lists: NAME_LISTS.filter((list) => list !== "withoutRotation"),
  hasPolicies: false,
  listed: (client) => client.getSecrets(),
  deleted: (client) => client.getDeletedSecrets(),
};
