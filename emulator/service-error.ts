/** A refusal in the service's own words: HTTP status, `error.code`, `error.innererror.code` and message. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly status: number;
  readonly code: string;
  readonly innerCode: string | undefined;

  constructor(status: number, code: string, message: string, innerCode?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.innerCode = innerCode;
  }
}

const recoverHelp = "https://go.microsoft.com/fwlink/?linkid=2125182";
const policyHelp = "https://go.microsoft.com/fwlink/?linkid=2125287";

/** `Key` or `Secret`, as the service's sentences begin. */
export type Noun = "Key" | "Secret";

export const badParameter = (message: string, innerCode?: string) =>
  new ServiceError(400, "BadParameter", message, innerCode);

/** One sentence per offending member; the service never says which one it was. */
export const invalidProperties = (count = 1) => badParameter("Property  has invalid value\r\n".repeat(count));

export const methodNotAllowed = (method: string) =>
  new ServiceError(405, "MethodNotAllowed", `HTTP ${method} not allowed`);

export const forbidden = (message: string, innerCode?: string) =>
  new ServiceError(403, "Forbidden", message, innerCode);

export const conflict = (message: string, innerCode?: string) => new ServiceError(409, "Conflict", message, innerCode);

export const notFound = (noun: Noun, id: string) =>
  new ServiceError(
    404,
    `${noun}NotFound`,
    `A ${noun.toLowerCase()} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${noun.toLowerCase()} you may be able to recover it using the correct recovery command. For help resolving this issue, please see ${recoverHelp}`,
  );

/** A Managed HSM names the whole address, and says the sentence twice. */
export const notFoundOnHsm = (url: string) =>
  new ServiceError(404, "KeyNotFound", `Key not found: Key not found: ${url}`);

export const deletedNotFound = (noun: Noun, name: string) =>
  new ServiceError(404, `${noun}NotFound`, `Deleted ${noun} not found: ${name}`);

export const beingDeletedOnWrite = (noun: Noun, name: string) =>
  conflict(`${noun} ${name} is currently being deleted and cannot be re-created; retry later.`, "ObjectIsBeingDeleted");

export const beingDeletedOnRecover = (noun: Noun, name: string) =>
  conflict(`${noun} ${name} is currently being deleted.`, "ObjectIsBeingDeleted");

export const beingDeletedOnPurge = (noun: Noun) =>
  conflict(`${noun} is currently being deleted.`, "ObjectIsBeingDeleted");

export const beingRecovered = (noun: Noun, name: string) =>
  conflict(
    `${noun} ${name} is currently being recovered and cannot be re-created; retry later.`,
    "ObjectIsBeingRecovered",
  );

export const deletedButRecoverable = (noun: Noun, name: string) =>
  conflict(
    `${noun} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the ${noun.toLowerCase()} can only be recovered or purged.`,
    "ObjectIsDeletedButRecoverable",
  );

export const restoreConflict = (noun: Noun, id: string) => {
  const it = noun.toLowerCase();
  return conflict(
    `There was a conflict restoring the ${it} '${id}'. This can happen if either: a second ${it} with the same name was created after the first ${it} was deleted; thus trying to restore a ${it} whose name is already in use. To fix this, rename the second ${it} to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the ${it}. To avoid this error, perform operations against a ${it} in a sequential manner.`,
  );
};

/** What the service says of parallel work on one object; only the sentence for recoveries was ever recorded. */
export const parallelWork = (noun: Noun, id: string, isRecovery: boolean) => {
  const it = isRecovery ? `soft-deleted ${noun.toLowerCase()}` : noun.toLowerCase();
  return conflict(
    `There was a conflict while ${isRecovery ? "recovering" : "updating"} the ${it} '${id}'. This can happen when multiple operations are performed in parallel against the ${it}. To avoid this error, perform operations against the ${it} in a sequential manner.`,
  );
};

export const alreadyActive = (noun: Noun, name: string) =>
  new ServiceError(400, "MethodNotAllowed", `${noun} exists already: ${name}`, "RequestNotAllowedOnNonDeletedObject");

export const malformedBackup = (message: string) => new ServiceError(400, "Malformed backup blob", message);

export const permissionMissing = (caller: string, permission: string, collection: string, vault: string) =>
  forbidden(
    `The user, group or application '${caller}' does not have ${collection} ${permission} permission on key vault '${vault}'. For help resolving this issue, please see ${policyHelp}`,
    "AccessDenied",
  );
