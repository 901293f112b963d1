/** What is known of an operation beside its path: who may call it, and how its call behaves. */
export interface OperationFacts {
  /** Name in the access-policy model. */
  permission: string;
  /** Data action in the role-based model of vaults, without its `Microsoft.KeyVault/vaults/` prefix. */
  dataAction: string;
  /** True where the call changes the vault. */
  write: boolean;
  /** True where each call that is carried out makes a version or an object, so that a second one is never the same as the first. */
  makes: boolean;
  /**
   * Among which calls it takes its turn: creates of keys are throttled hundreds of times harder than the rest, and what
   * makes something else must never stand in the way of a look.
   */
  lane: "create" | "make" | "other";
}

const read = (permission: string, dataAction: string): OperationFacts => ({
  permission,
  dataAction,
  write: false,
  makes: false,
  lane: "other",
});
const write = (permission: string, dataAction: string): OperationFacts => ({
  ...read(permission, dataAction),
  write: true,
});
const make = (permission: string, dataAction: string, lane: OperationFacts["lane"] = "make"): OperationFacts => ({
  ...write(permission, dataAction),
  makes: true,
  lane,
});

/** Every operation of the client, in the reference's order. */
export const OPERATIONS = {
  createKey: make("keys/create", "keys/create/action", "create"),
  importKey: make("keys/import", "keys/import/action"),
  rotateKey: make("keys/rotate", "keys/rotate/action", "create"),
  deleteKey: write("keys/delete", "keys/delete"),
  updateKey: write("keys/update", "keys/update/action"),
  getKey: read("keys/get", "keys/read"),
  getKeyVersions: read("keys/list", "keys/read"),
  getKeys: read("keys/list", "keys/read"),
  // Repeating a backup changes nothing in the vault.
  backupKey: read("keys/backup", "keys/backup/action"),
  restoreKey: make("keys/restore", "keys/restore/action"),
  encrypt: read("keys/encrypt", "keys/encrypt/action"),
  decrypt: read("keys/decrypt", "keys/decrypt/action"),
  sign: read("keys/sign", "keys/sign/action"),
  verify: read("keys/verify", "keys/verify/action"),
  wrapKey: read("keys/wrapKey", "keys/wrap/action"),
  unwrapKey: read("keys/unwrapKey", "keys/unwrap/action"),
  releaseKey: { ...read("keys/release", "keys/release/action"), lane: "create" },
  getDeletedKeys: read("keys/list", "keys/read"),
  getDeletedKey: read("keys/get", "keys/read"),
  purgeDeletedKey: write("keys/purge", "keys/purge/action"),
  recoverDeletedKey: write("keys/recover", "keys/recover/action"),
  getKeyRotationPolicy: read("keys/getrotationpolicy", "keyrotationpolicies/read"),
  updateKeyRotationPolicy: write("keys/setrotationpolicy", "keyrotationpolicies/write"),
  setSecret: make("secrets/set", "secrets/setSecret/action"),
  deleteSecret: write("secrets/delete", "secrets/delete"),
  updateSecret: write("secrets/set", "secrets/update/action"),
  getSecret: read("secrets/get", "secrets/getSecret/action"),
  getSecrets: read("secrets/list", "secrets/readMetadata/action"),
  getSecretVersions: read("secrets/list", "secrets/readMetadata/action"),
  getDeletedSecrets: read("secrets/list", "secrets/readMetadata/action"),
  getDeletedSecret: read("secrets/get", "secrets/readMetadata/action"),
  purgeDeletedSecret: write("secrets/purge", "secrets/purge/action"),
  recoverDeletedSecret: write("secrets/recover", "secrets/recover/action"),
  backupSecret: read("secrets/backup", "secrets/backup/action"),
  restoreSecret: make("secrets/restore", "secrets/restore/action"),
} as const satisfies Record<string, OperationFacts>;

export type OperationName = keyof typeof OPERATIONS;

/** The operations that have no object which could be missing. */
const NEVER_NOT_FOUND: ReadonlySet<OperationName> = new Set([
  "createKey",
  "importKey",
  "restoreKey",
  "setSecret",
  "restoreSecret",
  "getKeys",
  "getDeletedKeys",
  "getSecrets",
  "getDeletedSecrets",
]);

/** The code with which the service says that an operation's object is not there, on both planes, for deleted objects too. */
export function notFoundCode(operation: OperationName): "KeyNotFound" | "SecretNotFound" | undefined {
  if (NEVER_NOT_FOUND.has(operation)) return undefined;
  return OPERATIONS[operation].permission.startsWith("keys/") ? "KeyNotFound" : "SecretNotFound";
}

/** Whether an operation, as errors name it, changes the vault. */
export function isWrite(operation: string | undefined): boolean {
  return (
    operation !== undefined && Object.hasOwn(OPERATIONS, operation) && OPERATIONS[operation as OperationName].write
  );
}
