import type { Operation } from "../operation.js";
import { backupKey } from "./backup-key.js";
import { backupSecret } from "./backup-secret.js";
import { createKey } from "./create-key.js";
import { decrypt } from "./decrypt.js";
import { deleteKey } from "./delete-key.js";
import { deleteSecret } from "./delete-secret.js";
import { encrypt } from "./encrypt.js";
import { getDeletedKey } from "./get-deleted-key.js";
import { getDeletedKeys } from "./get-deleted-keys.js";
import { getDeletedSecret } from "./get-deleted-secret.js";
import { getDeletedSecrets } from "./get-deleted-secrets.js";
import { getKey } from "./get-key.js";
import { getKeyAttestation } from "./get-key-attestation.js";
import { getKeyRotationPolicy } from "./get-key-rotation-policy.js";
import { getKeyVersions } from "./get-key-versions.js";
import { getKeys } from "./get-keys.js";
import { getRandomBytes } from "./get-random-bytes.js";
import { getSecret } from "./get-secret.js";
import { getSecretVersions } from "./get-secret-versions.js";
import { getSecrets } from "./get-secrets.js";
import { importKey } from "./import-key.js";
import { purgeDeletedKey } from "./purge-deleted-key.js";
import { purgeDeletedSecret } from "./purge-deleted-secret.js";
import { recoverDeletedKey } from "./recover-deleted-key.js";
import { recoverDeletedSecret } from "./recover-deleted-secret.js";
import { releaseKey } from "./release-key.js";
import { restoreKey } from "./restore-key.js";
import { restoreSecret } from "./restore-secret.js";
import { rotateKey } from "./rotate-key.js";
import { setSecret } from "./set-secret.js";
import { sign } from "./sign.js";
import { unwrapKey } from "./unwrap-key.js";
import { updateKey } from "./update-key.js";
import { updateKeyRotationPolicy } from "./update-key-rotation-policy.js";
import { updateSecret } from "./update-secret.js";
import { verify } from "./verify.js";
import { wrapKey } from "./wrap-key.js";

/** What the emulated service can do, in the reference's order. */
export const operations: readonly Operation[] = [
  createKey,
  importKey,
  deleteKey,
  updateKey,
  getKey,
  getKeyAttestation,
  getKeyVersions,
  getKeys,
  backupKey,
  restoreKey,
  encrypt,
  decrypt,
  sign,
  verify,
  wrapKey,
  unwrapKey,
  releaseKey,
  getDeletedKeys,
  getDeletedKey,
  purgeDeletedKey,
  recoverDeletedKey,
  getKeyRotationPolicy,
  updateKeyRotationPolicy,
  rotateKey,
  getRandomBytes,
  setSecret,
  deleteSecret,
  updateSecret,
  getSecret,
  getSecrets,
  getSecretVersions,
  getDeletedSecrets,
  getDeletedSecret,
  purgeDeletedSecret,
  recoverDeletedSecret,
  backupSecret,
  restoreSecret,
];
