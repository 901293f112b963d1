export {
  Key,
  type KeyArgs,
  type KeyCurve,
  type KeyGenerate,
  type KeyImport,
  type KeyOperation,
  type KeyRotation,
  type OperationTimeouts,
  type Passphrase,
} from "./key.js";
export { KeyBackup, type KeyBackupArgs } from "./key-backup.js";
export { Secret, type SecretArgs } from "./secret.js";
export { SecretBackup, type SecretBackupArgs } from "./secret-backup.js";
