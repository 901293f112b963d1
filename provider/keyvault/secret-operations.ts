import { type AskedObject, differenceOf } from "./answered-object.js";
import type { ObjectPath } from "./object-path.js";
import type { OperationName } from "./operations.js";
import type { DeletedSecretBundle, DeletedSecretItem, SecretBundle, SecretItem } from "./secret-bundle.js";
import type { Call, CallOptions, PageOptions, VaultConnection } from "./vault-connection.js";
import { backupAnswer } from "./wire/backup.js";
import { decodeWire, present } from "./wire/json.js";
import { pageOf } from "./wire/page.js";
import { describing } from "./wire/requests.js";
import { deletedSecretBundle, deletedSecretItem, secretBundle, secretItem } from "./wire/secret.js";

/** Attributes that a program may set. The service cannot clear a date again: only a new version without it can. */
export interface SecretAttributesInput {
  /** Default true. The value of a disabled version cannot be read. */
  enabled?: boolean;
  notBefore?: Date;
  expiresOn?: Date;
}

export interface SecretDescription extends SecretAttributesInput {
  /** At most 255 characters. */
  contentType?: string;
  /** Replaces the whole set; `{}` clears it. */
  tags?: Record<string, string>;
}

export interface SetSecretParameters extends SecretDescription {
  /** At most 25,600 bytes; may be empty. */
  value: string;
}

const page = pageOf(secretItem);
const deletedPage = pageOf(deletedSecretItem);

export type SecretOperations = ReturnType<typeof secretOperations>;

/** The operations on secrets of a vault. */
export function secretOperations(connection: VaultConnection) {
  const bundle = (
    operation: OperationName,
    method: Call<SecretBundle>["method"],
    path: ObjectPath,
    { asked, ...rest }: Pick<Call<SecretBundle>, "body" | "secrets"> & { asked?: AskedObject },
    o?: CallOptions,
  ): Promise<SecretBundle> =>
    connection.call(
      {
        operation,
        method,
        path,
        ...rest,
        echoes: [...Object.values(asked?.sent?.tags ?? {}), asked?.sent?.contentType ?? ""],
        ...(asked === undefined ? {} : { objectName: asked.name, version: asked.version }),
        decode: (answer) => decodeWire(secretBundle, answer),
        difference: (secret) => asked && differenceOf(secret, asked),
      },
      o,
    );

  const deleted = (
    operation: OperationName,
    method: "GET" | "DELETE",
    path: ObjectPath,
    name: string,
    o?: CallOptions,
  ): Promise<DeletedSecretBundle> =>
    connection.call(
      {
        operation,
        method,
        path,
        objectName: name,
        decode: (answer) => decodeWire(deletedSecretBundle, answer),
        difference: (secret) => differenceOf(secret, { name }),
      },
      o,
    );

  return {
    /**
     * Sets a secret, as a new version where the name is taken. Nothing is inherited from the version before.
     *
     * Needs secrets/set. Throws `KV_DELETED_RECOVERABLE` and `KV_BUSY` where a deleted secret holds the name.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret
     */
    setSecret(name: string, p: SetSecretParameters, o?: CallOptions): Promise<SecretBundle> {
      const body = () => ({ value: p.value, ...present({ contentType: p.contentType }), ...describing(p) });
      const rest = { body, secrets: [p.value], asked: { name, sent: p } };
      return bundle("setSecret", "PUT", ["secrets", name], rest, o);
    },

    /**
     * Deletes a secret with all its versions. It goes on for seconds to minutes after the answer: until `getDeletedSecret` finds it, the name is busy.
     *
     * Needs secrets/delete. Throws `KV_NOT_FOUND`, and `KV_FORBIDDEN` for the secret of a certificate.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/delete-secret/delete-secret
     */
    deleteSecret(name: string, o?: CallOptions): Promise<DeletedSecretBundle> {
      return deleted("deleteSecret", "DELETE", ["secrets", name], name, o);
    },

    /**
     * Changes attributes, content type or tags of a version, by default the current one. The value cannot be changed, and is not in the answer.
     *
     * Needs secrets/set. Throws `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/update-secret/update-secret
     */
    updateSecret(
      name: string,
      version: string | undefined,
      p: SecretDescription,
      o?: CallOptions,
    ): Promise<SecretBundle> {
      const body = () => ({ ...present({ contentType: p.contentType }), ...describing(p) });
      const rest = { body, asked: { name, version, sent: p } };
      return bundle("updateSecret", "PATCH", ["secrets", name, version], rest, o);
    },

    /**
     * Reads a version with its value, by default the current one.
     *
     * Needs secrets/get. Throws `KV_NOT_FOUND`, and `KV_FORBIDDEN` with inner code `SecretDisabled` for a disabled version.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
     */
    getSecret(name: string, version?: string, o?: CallOptions): Promise<SecretBundle> {
      return bundle("getSecret", "GET", ["secrets", name, version], { asked: { name, version } }, o);
    },

    /**
     * Lists the secrets of the vault by their current versions, without values. Needs secrets/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets
     */
    getSecrets(o?: PageOptions): AsyncIterable<SecretItem> {
      const call = { operation: "getSecrets", method: "GET", path: ["secrets"] } as const;
      return connection.list({ ...call, decode: (answer) => decodeWire(page, answer) }, o);
    },

    /**
     * Lists the versions of a secret, in the order of their random ids: sort by `createdOn`. A name that does not exist has none.
     *
     * Needs secrets/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions
     */
    getSecretVersions(name: string, o?: PageOptions): AsyncIterable<SecretItem> {
      const path: ObjectPath = ["secrets", name, "versions"];
      const call = { operation: "getSecretVersions", method: "GET", path, objectName: name } as const;
      return connection.list(
        { ...call, decode: (answer) => decodeWire(page, answer), difference: (item) => differenceOf(item, { name }) },
        o,
      );
    },

    /**
     * Lists deleted secrets that can be recovered. Needs secrets/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-deleted-secrets/get-deleted-secrets
     */
    getDeletedSecrets(o?: PageOptions): AsyncIterable<DeletedSecretItem> {
      const call = { operation: "getDeletedSecrets", method: "GET", path: ["deletedsecrets"] } as const;
      return connection.list({ ...call, decode: (answer) => decodeWire(deletedPage, answer) }, o);
    },

    /**
     * Reads a deleted secret, without its value.
     *
     * Needs secrets/get. Throws `KV_NOT_FOUND` also while it is still being deleted, and `KV_FORBIDDEN` where its current version is disabled: then it is there.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-deleted-secret/get-deleted-secret
     */
    getDeletedSecret(name: string, o?: CallOptions): Promise<DeletedSecretBundle> {
      return deleted("getDeletedSecret", "GET", ["deletedsecrets", name], name, o);
    },

    /**
     * Deletes a deleted secret for good. Needs secrets/purge. Throws `KV_BUSY` while it is still being deleted, `KV_FORBIDDEN` under purge protection, `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/purge-deleted-secret/purge-deleted-secret
     */
    purgeDeletedSecret(name: string, o?: CallOptions): Promise<void> {
      const path: ObjectPath = ["deletedsecrets", name];
      const call = { operation: "purgeDeletedSecret", method: "DELETE", path, objectName: name } as const;
      return connection.call({ ...call, decode: undefined }, o);
    },

    /**
     * Brings a deleted secret back with all its versions. It goes on after the answer: reads find it after a while, and writes are busy a little longer. The answer carries no value.
     *
     * Needs secrets/recover. Throws `KV_BUSY` while it is still being deleted, `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/recover-deleted-secret/recover-deleted-secret
     */
    recoverDeletedSecret(name: string, o?: CallOptions): Promise<SecretBundle> {
      const path: ObjectPath = ["deletedsecrets", name, "recover"];
      return bundle("recoverDeletedSecret", "POST", path, { asked: { name } }, o);
    },

    /**
     * Takes a backup of all versions of a secret: an opaque text, to be kept as it is. Needs secrets/backup. Throws `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/backup-secret/backup-secret
     */
    backupSecret(name: string, o?: CallOptions): Promise<string> {
      const path: ObjectPath = ["secrets", name, "backup"];
      const call = { operation: "backupSecret", method: "POST", path, objectName: name } as const;
      return connection.call({ ...call, decode: (answer) => decodeWire(backupAnswer, answer) }, o);
    },

    /**
     * Restores a secret from its backup, with its name, its version ids and its attributes. Never overwrites.
     *
     * Needs secrets/restore. Throws `KV_BACKUP_REJECTED` where the blob is not one that this vault can open, `KV_CONFLICT` where the name is taken in any state.
     * @see https://learn.microsoft.com/rest/api/keyvault/secrets/restore-secret/restore-secret
     */
    restoreSecret(blob: string, o?: CallOptions): Promise<SecretBundle> {
      return bundle(
        "restoreSecret",
        "POST",
        ["secrets", "restore"],
        { body: () => ({ value: blob }), secrets: [blob] },
        o,
      );
    },
  };
}
