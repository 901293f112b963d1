import type { Operation } from "../operation.js";
import { backupKey } from "./backup-key.js";
import { backupSecret } from "./backup-secret.js";
import { createKey } from "./create-key.js";
import { deleteKey } from "./delete-key.js";
import { deleteSecret } from "./delete-secret.js";
import { getDeletedKey } from "./get-deleted-key.js";
import { getDeletedKeys } from "./get-deleted-keys.js";
import { getDeletedSecret } from "./get-deleted-secret.js";
import { getDeletedSecrets } from "./get-deleted-secrets.js";
import { getKey } from "./get-key.js";
import { getKeyVersions } from "./get-key-versions.js";
import { getKeys } from "./get-keys.js";
import { getSecret } from "./get-secret.js";
import { getSecretVersions } from "./get-secret-versions.js";
import { getSecrets } from "./get-secrets.js";
import { importKey } from "./import-key.js";
import { purgeDeletedKey } from "./purge-deleted-key.js";
import { purgeDeletedSecret } from "./purge-deleted-secret.js";
import { recoverDeletedKey } from "./recover-deleted-key.js";
import { recoverDeletedSecret } from "./recover-deleted-secret.js";
import { restoreKey } from "./restore-key.js";
import { restoreSecret } from "./restore-secret.js";
import { setSecret } from "./set-secret.js";
import { updateKey } from "./update-key.js";
import { updateSecret } from "./update-secret.js";

/** What the emulated service can do, in the reference's order. */
export const operations: readonly Operation[] = [
  createKey,
  importKey,
  deleteKey,
  updateKey,
  getKey,
  getKeyVersions,
  getKeys,
  backupKey,
  restoreKey,
  getDeletedKeys,
  getDeletedKey,
  purgeDeletedKey,
  recoverDeletedKey,
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
