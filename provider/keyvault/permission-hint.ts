import { OPERATIONS, type OperationName } from "./operations.js";

export type Plane = "vault" | "managedhsm";

/** What a caller needs for an operation. */
export interface PermissionHint {
  plane: Plane;
  /** Name in the access-policy model, such as `keys/get`. */
  permission: string;
  /** Data action of the role-based model, whole. */
  dataAction: string;
}

const HSM_CRYPTO_USER = "Managed HSM Crypto User";
const HSM_CRYPTO_AUDITOR = "Managed HSM Crypto Auditor";
const HSM_CRYPTO_OFFICER = "Managed HSM Crypto Officer";

/**
 * Local role-based access of a Managed HSM has names of its own, and splits the deleted keys from the others.
 * The service documents none for rotation policies: its crypto users read and write them with the key.
 */
const HSM_ACTIONS: Partial<Record<OperationName, readonly [action: string, role: string]>> = {
  createKey: ["keys/create", HSM_CRYPTO_USER],
  importKey: ["keys/import/action", HSM_CRYPTO_USER],
  rotateKey: ["keys/rotate/action", HSM_CRYPTO_USER],
  deleteKey: ["keys/delete", HSM_CRYPTO_USER],
  updateKey: ["keys/write/action", HSM_CRYPTO_USER],
  getKey: ["keys/read/action", HSM_CRYPTO_AUDITOR],
  getKeyVersions: ["keys/read/action", HSM_CRYPTO_AUDITOR],
  getKeys: ["keys/read/action", HSM_CRYPTO_AUDITOR],
  backupKey: ["keys/backup/action", HSM_CRYPTO_USER],
  restoreKey: ["keys/restore/action", HSM_CRYPTO_USER],
  encrypt: ["keys/encrypt/action", HSM_CRYPTO_USER],
  decrypt: ["keys/decrypt/action", HSM_CRYPTO_USER],
  sign: ["keys/sign/action", HSM_CRYPTO_USER],
  verify: ["keys/verify/action", HSM_CRYPTO_USER],
  wrapKey: ["keys/wrap/action", HSM_CRYPTO_USER],
  unwrapKey: ["keys/unwrap/action", HSM_CRYPTO_USER],
  releaseKey: ["keys/release/action", HSM_CRYPTO_USER],
  getDeletedKeys: ["keys/deletedKeys/read/action", HSM_CRYPTO_OFFICER],
  getDeletedKey: ["keys/deletedKeys/read/action", HSM_CRYPTO_OFFICER],
  purgeDeletedKey: ["keys/deletedKeys/delete", HSM_CRYPTO_OFFICER],
  recoverDeletedKey: ["keys/deletedKeys/recover/action", HSM_CRYPTO_OFFICER],
  getKeyRotationPolicy: ["keys/read/action", HSM_CRYPTO_USER],
  updateKeyRotationPolicy: ["keys/write/action", HSM_CRYPTO_USER],
};

/** The built-in role of a vault with the fewest rights that has an operation's data action. */
function vaultRole(operation: OperationName): string {
  const { permission, dataAction } = OPERATIONS[operation];
  if (dataAction.endsWith("/read") || dataAction === "secrets/readMetadata/action") return "Key Vault Reader";
  if (dataAction === "secrets/getSecret/action") return "Key Vault Secrets User";
  if (CRYPTO_USER.has(operation)) return "Key Vault Crypto User";
  if (operation === "releaseKey") return "Key Vault Crypto Service Release User";
  return permission.startsWith("keys/") ? "Key Vault Crypto Officer" : "Key Vault Secrets Officer";
}

/** Beside reading: what the definition of the role has. */
const CRYPTO_USER: ReadonlySet<OperationName> = new Set([
  "updateKey",
  "backupKey",
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "wrapKey",
  "unwrapKey",
]);

const OPERATION_NAMES = Object.keys(OPERATIONS).filter((name): name is OperationName => name in OPERATIONS);
const PLANES: readonly Plane[] = ["vault", "managedhsm"];

/** What an operation needs on a plane. Undefined where the plane has no such operation. */
export function permissionFor(operation: OperationName, plane: Plane): PermissionHint | undefined {
  const { permission, dataAction } = OPERATIONS[operation];
  if (plane === "vault") return { plane, permission, dataAction: `Microsoft.KeyVault/vaults/${dataAction}` };
  const [action] = HSM_ACTIONS[operation] ?? [];
  return action === undefined
    ? undefined
    : { plane, permission, dataAction: `Microsoft.KeyVault/managedHsm/${action}` };
}

/** The built-in role with the fewest rights that may call an operation, local to a Managed HSM. Undefined where the plane has no such operation. */
export function roleFor(operation: OperationName, plane: Plane): string | undefined {
  return plane === "vault" ? vaultRole(operation) : HSM_ACTIONS[operation]?.[1];
}

/** Says what to grant, in words that {@link parsePermissionHints} finds again in a longer text. */
export function formatPermissionHint(operation: OperationName, plane: Plane): string {
  const { permission, dataAction } = permissionFor(operation, plane) ?? {
    permission: OPERATIONS[operation].permission,
  };
  if (plane === "vault") {
    return `grant the ${permission} permission (access policy) or a role with ${dataAction}, such as ${vaultRole(operation)} (Azure RBAC; a new assignment takes some minutes).`;
  }
  const allowing = dataAction === undefined ? "" : ` by ${dataAction}, such as ${roleFor(operation, plane)}`;
  return `grant a local role of the Managed HSM that allows ${permission}${allowing}. A new assignment takes some minutes.`;
}

/** Every permission that a text says to grant, each once, in the order of the operations. */
export function parsePermissionHints(text: string): PermissionHint[] {
  const found = new Map<string, PermissionHint>();
  for (const plane of PLANES) {
    for (const operation of OPERATION_NAMES) {
      const needed = permissionFor(operation, plane);
      // After the end of a sentence a hint begins with a capital letter.
      if (needed && text.includes(formatPermissionHint(operation, plane).slice(1))) {
        found.set(`${needed.permission} ${needed.dataAction}`, needed);
      }
    }
  }
  return [...found.values()];
}
