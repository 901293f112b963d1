/**
 * Keys and secrets of Azure Key Vault as Pulumi resources.
 *
 * @module pulumi-keyvault
 */
import "./program-sdk.js";

import { endProgramWithEngine } from "../provider/engine/engine-loss.js";
import { settleTransforms } from "./transformed-resource.js";

export {
  isKeyVaultError,
  KeyVaultError,
  type KeyVaultErrorCode,
} from "../provider/keyvault/errors.js";
export type { Restorable, RestorableValue, RestoreSource } from "./backup-resource.js";
export type { FunctionOptions, FunctionOutputOptions } from "./functions/function-call.js";
export {
  type GetKeyArgs,
  type GetKeyOutputArgs,
  type GetKeyResult,
  type GetKeyVersionArgs,
  type GetKeyVersionOutputArgs,
  getKey,
  getKeyOutput,
  getKeyVersion,
  getKeyVersionOutput,
} from "./functions/get-key.js";
export {
  type GetSecretArgs,
  type GetSecretMetadataArgs,
  type GetSecretMetadataOutputArgs,
  type GetSecretMetadataResult,
  type GetSecretOutputArgs,
  type GetSecretResult,
  getSecret,
  getSecretMetadata,
  getSecretMetadataOutput,
  getSecretOutput,
} from "./functions/get-secret.js";
export {
  type Bytes,
  type BytesInput,
  type CipherAlgorithm,
  type Data,
  type DataInput,
  type DecryptArgs,
  type DecryptOutputArgs,
  type DecryptResult,
  decrypt,
  decryptOutput,
  type Encoding,
  type EncryptArgs,
  type EncryptOutputArgs,
  type EncryptResult,
  encrypt,
  encryptOutput,
  type KeyToUse,
  type KeyToUseOutput,
  type KnownKey,
  type SignArgs,
  type SignatureAlgorithm,
  type SignOutputArgs,
  type SignResult,
  sign,
  signOutput,
  type UnwrapKeyArgs,
  type UnwrapKeyOutputArgs,
  type UnwrapKeyResult,
  unwrapKey,
  unwrapKeyOutput,
  type VerifyArgs,
  type VerifyOutputArgs,
  type VerifyResult,
  verify,
  verifyOutput,
  type WrapAlgorithm,
  type WrapKeyArgs,
  type WrapKeyOutputArgs,
  type WrapKeyResult,
  wrapKey,
  wrapKeyOutput,
} from "./functions/use-key.js";
export {
  Key,
  type KeyArgs,
  type KeyCurve,
  type KeyGenerate,
  type KeyImport,
  type KeyOperation,
  type KeyRotation,
  type Passphrase,
} from "./key.js";
export { KeyBackup, type KeyBackupArgs } from "./key-backup.js";
export { type InventoryKey, type InventoryList, KeyInventory, type KeyInventoryArgs } from "./key-inventory.js";
export {
  type KeyOfSet,
  KeySet,
  type KeySetArgs,
  type KeySetEntry,
  type KeySetImport,
} from "./key-set.js";
export {
  type DeletedKeyItem,
  type KeyItem,
  listDeletedKeys,
  listKeys,
  listKeyVersions,
} from "./list-keys.js";
export type { AccessTokenSource, ListOptions } from "./list-options.js";
export {
  type DeletedSecretItem,
  listDeletedSecrets,
  listSecrets,
  type SecretItem,
} from "./list-secrets.js";
export type { ObjectArgs, OperationTimeouts } from "./object-args.js";
export { KeyPolicyFacts, SecretPolicyFacts } from "./policy-facts.js";
export { Secret, type SecretArgs, type SecretGenerate, type SecretValue } from "./secret.js";
export { SecretBackup, type SecretBackupArgs } from "./secret-backup.js";
export {
  type InventorySecret,
  SecretInventory,
  type SecretInventoryArgs,
  type SecretInventoryList,
} from "./secret-inventory.js";
export { type RestorableVault, VaultBackup, type VaultBackupArgs } from "./vault-backup.js";

endProgramWithEngine();
settleTransforms();
