import { type AskedKey, type AskedObject, differenceOf } from "./answered-object.js";
import type {
  DeletedKeyBundle,
  DeletedKeyItem,
  KeyBundle,
  KeyItem,
  KeyReleasePolicy,
  KeyRotationPolicy,
  KeyRotationPolicyInput,
} from "./key-bundle.js";
import type { ObjectPath } from "./object-path.js";
import type { OperationName } from "./operations.js";
import type { Call, CallOptions, PageOptions, VaultConnection } from "./vault-connection.js";
import { backupAnswer } from "./wire/backup.js";
import { decodeWire, present } from "./wire/json.js";
import { deletedKeyBundle, deletedKeyItem, keyBundle, keyItem } from "./wire/key.js";
import { pageOf } from "./wire/page.js";
import { describing } from "./wire/requests.js";
import { encodeRotationPolicy, rotationPolicy } from "./wire/rotation-policy.js";

/** Attributes that a program may set. The service cannot clear a date again: only a new version without it can. */
export interface KeyAttributesInput {
  /** Default true. */
  enabled?: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  /** Whether the key may leave the HSM under its release policy. Cannot be changed later. */
  exportable?: boolean;
}

export interface KeyDescription extends KeyAttributesInput {
  /** Replaces the whole set. Default: all that the key type can do. */
  keyOps?: string[];
  /** Replaces the whole set; `{}` clears it. */
  tags?: Record<string, string>;
  releasePolicy?: KeyReleasePolicy;
}

export interface CreateKeyParameters extends KeyDescription {
  /** `RSA`, `EC`, `oct` or one of the `-HSM` types. */
  keyType: string;
  /** Bits. Default 2048 for RSA. */
  keySize?: number;
  /** Default `P-256` for EC. */
  curve?: string;
  /** Vaults accept it and ignore it. */
  publicExponent?: number;
}

export interface ImportKeyParameters extends KeyDescription {
  /** The JWK with its private members, or `{ kty, key_hsm }` of a BYOK package. */
  key: Record<string, unknown>;
  /** Of a BYOK package, which shows nothing of its key: the public members that the answer has to have. */
  publicKey?: Record<string, unknown>;
  /** Stores the key in an HSM, as the `-HSM` type. */
  hardwareProtected?: boolean;
}

const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(["kty", "kid", "crv", "n", "e", "x", "y", "alg", "use", "key_ops"]);

const page = pageOf(keyItem);
const deletedPage = pageOf(deletedKeyItem);

export type KeyOperations = ReturnType<typeof keyOperations>;

/** The operations on keys of a vault. */
export function keyOperations(connection: VaultConnection) {
  const bundle = (
    operation: OperationName,
    method: Call<KeyBundle>["method"],
    path: ObjectPath,
    { asked, ...rest }: Pick<Call<KeyBundle>, "body" | "secrets"> & { asked?: AskedObject },
    o?: CallOptions,
  ): Promise<KeyBundle> =>
    connection.call(
      {
        operation,
        method,
        path,
        ...rest,
        echoes: Object.values(asked?.sent?.tags ?? {}),
        ...(asked === undefined ? {} : { objectName: asked.name, version: asked.version }),
        decode: (answer) => decodeWire(keyBundle, answer),
        difference: (key) => asked && differenceOf(key, asked),
      },
      o,
    );

  const deleted = (
    operation: OperationName,
    method: "GET" | "DELETE",
    path: ObjectPath,
    name: string,
    o?: CallOptions,
  ): Promise<DeletedKeyBundle> =>
    connection.call(
      {
        operation,
        method,
        path,
        objectName: name,
        decode: (answer) => decodeWire(deletedKeyBundle, answer),
        difference: (key) => differenceOf(key, { name }),
      },
      o,
    );

  const policyOf = (
    operation: OperationName,
    method: "GET" | "PUT",
    name: string,
    body: (() => object) | undefined,
    o?: CallOptions,
  ): Promise<KeyRotationPolicy> =>
    connection.call(
      {
        operation,
        method,
        path: ["keys", name, "rotationpolicy"],
        objectName: name,
        ...(body ? { body } : {}),
        decode: (answer) => decodeWire(rotationPolicy, answer),
        difference: ({ id }) => namesAnother(id, name),
      },
      o,
    );

  return {
    /**
     * Creates a key, or a new version where the name is taken.
     *
     * A new version inherits nothing from the one before. A lost answer shows as `mayHaveHappened`.
     * Needs keys/create. Throws `KV_DELETED_RECOVERABLE` and `KV_BUSY` where a deleted key holds the name.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/create-key/create-key
     */
    createKey(name: string, p: CreateKeyParameters, o?: CallOptions): Promise<KeyBundle> {
      const body = () => ({
        kty: p.keyType,
        ...present({ key_size: p.keySize, crv: p.curve, public_exponent: p.publicExponent, key_ops: p.keyOps }),
        ...describing(p),
      });
      return bundle("createKey", "POST", ["keys", name, "create"], { body, asked: { name, sent: p, key: p } }, o);
    },

    /**
     * Imports a key, as a new version where the name is taken: look before.
     *
     * Needs keys/import. Throws `KV_INVALID_INPUT` where the vault does not take the numbers, `KV_FORBIDDEN` for HSM keys in a vault of the standard tier,
     * `KV_DELETED_RECOVERABLE` and `KV_BUSY` where a deleted key holds the name.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/import-key/import-key
     */
    importKey(name: string, p: ImportKeyParameters, o?: CallOptions): Promise<KeyBundle> {
      const body = () => ({
        ...present({ Hsm: p.hardwareProtected }),
        key: { ...p.key, ...present({ key_ops: p.keyOps }) },
        ...describing(p),
      });
      const secrets = Object.entries(p.key).flatMap(([member, value]) =>
        typeof value === "string" && !PUBLIC_MEMBERS.has(member) ? [value] : [],
      );
      return bundle(
        "importKey",
        "PUT",
        ["keys", name],
        { body, secrets, asked: { name, sent: p, key: publicHalf(p.publicKey ?? p.key) } },
        o,
      );
    },

    /**
     * Makes a new version by the key's rotation policy. Needs keys/rotate.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/rotate-key/rotate-key
     */
    rotateKey(name: string, o?: CallOptions): Promise<KeyBundle> {
      return bundle("rotateKey", "POST", ["keys", name, "rotate"], { asked: { name } }, o);
    },

    /**
     * Deletes a key with all its versions. It goes on for seconds to minutes after the answer: until `getDeletedKey` finds it, the name is busy.
     *
     * Needs keys/delete. Throws `KV_NOT_FOUND`, and `KV_FORBIDDEN` for the key of a certificate.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/delete-key/delete-key
     */
    deleteKey(name: string, o?: CallOptions): Promise<DeletedKeyBundle> {
      return deleted("deleteKey", "DELETE", ["keys", name], name, o);
    },

    /**
     * Changes attributes, operations, tags or release policy of a version, by default the current one. What is not given stays.
     *
     * Needs keys/update. Throws `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/update-key/update-key
     */
    updateKey(name: string, version: string | undefined, p: KeyDescription, o?: CallOptions): Promise<KeyBundle> {
      const body = () => ({ ...present({ key_ops: p.keyOps }), ...describing(p) });
      return bundle("updateKey", "PATCH", ["keys", name, version], { body, asked: { name, version, sent: p } }, o);
    },

    /**
     * Reads the public half and the attributes of a version, by default the current one. Disabled keys are readable.
     *
     * Needs keys/get. Throws `KV_NOT_FOUND` also for a deleted key.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key
     */
    getKey(name: string, version?: string, o?: CallOptions): Promise<KeyBundle> {
      return bundle("getKey", "GET", ["keys", name, version], { asked: { name, version } }, o);
    },

    /**
     * Lists the versions of a key, in the order of their random ids: sort by `createdOn`. A name that does not exist has none.
     *
     * Needs keys/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key-versions/get-key-versions
     */
    getKeyVersions(name: string, o?: PageOptions): AsyncIterable<KeyItem> {
      const call = { operation: "getKeyVersions", method: "GET", path: ["keys", name, "versions"] } as const;
      return connection.list(
        {
          ...call,
          objectName: name,
          decode: (answer) => decodeWire(page, answer),
          difference: (item) => differenceOf(item, { name }),
        },
        o,
      );
    },

    /**
     * Lists the keys of the vault by their current versions, page by page as they are asked for. Needs keys/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-keys/get-keys
     */
    getKeys(o?: PageOptions): AsyncIterable<KeyItem> {
      const call = { operation: "getKeys", method: "GET", path: ["keys"] } as const;
      return connection.list({ ...call, decode: (answer) => decodeWire(page, answer) }, o);
    },

    /**
     * Takes a backup of all versions of a key: an opaque text, to be kept as it is. Two backups of the same key differ.
     *
     * Needs keys/backup. Throws `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/backup-key/backup-key
     */
    backupKey(name: string, o?: CallOptions): Promise<string> {
      const call = { operation: "backupKey", method: "POST", path: ["keys", name, "backup"] } as const;
      return connection.call({ ...call, objectName: name, decode: (answer) => decodeWire(backupAnswer, answer) }, o);
    },

    /**
     * Restores a key from its backup, with its name, its version ids and its attributes. Never overwrites.
     *
     * Needs keys/restore. Throws `KV_BACKUP_REJECTED` where the blob is not one that this vault can open, `KV_CONFLICT` where the name is taken in any state.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/restore-key/restore-key
     */
    restoreKey(blob: string, o?: CallOptions): Promise<KeyBundle> {
      return bundle("restoreKey", "POST", ["keys", "restore"], { body: () => ({ value: blob }), secrets: [blob] }, o);
    },

    /**
     * Lists deleted keys that can be recovered. Needs keys/list.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-deleted-keys/get-deleted-keys
     */
    getDeletedKeys(o?: PageOptions): AsyncIterable<DeletedKeyItem> {
      const call = { operation: "getDeletedKeys", method: "GET", path: ["deletedkeys"] } as const;
      return connection.list({ ...call, decode: (answer) => decodeWire(deletedPage, answer) }, o);
    },

    /**
     * Reads a deleted key. Needs keys/get. Throws `KV_NOT_FOUND` also while the key is still being deleted.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-deleted-key/get-deleted-key
     */
    getDeletedKey(name: string, o?: CallOptions): Promise<DeletedKeyBundle> {
      return deleted("getDeletedKey", "GET", ["deletedkeys", name], name, o);
    },

    /**
     * Deletes a deleted key for good. Needs keys/purge. Throws `KV_BUSY` while it is still being deleted, `KV_FORBIDDEN` under purge protection, `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/purge-deleted-key/purge-deleted-key
     */
    purgeDeletedKey(name: string, o?: CallOptions): Promise<void> {
      const call = { operation: "purgeDeletedKey", method: "DELETE", path: ["deletedkeys", name] } as const;
      return connection.call({ ...call, objectName: name, decode: undefined }, o);
    },

    /**
     * Brings a deleted key back with all its versions, tags and attributes. It goes on after the answer: reads find it after a while, and writes are busy a little longer.
     *
     * Needs keys/recover. Throws `KV_BUSY` while it is still being deleted, `KV_NOT_FOUND`.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/recover-deleted-key/recover-deleted-key
     */
    recoverDeletedKey(name: string, o?: CallOptions): Promise<KeyBundle> {
      const path: ObjectPath = ["deletedkeys", name, "recover"];
      return bundle("recoverDeletedKey", "POST", path, { asked: { name } }, o);
    },

    /**
     * Reads the rotation policy; a key that never had one has the service's default. Needs keys/getrotationpolicy.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key-rotation-policy/get-key-rotation-policy
     */
    getKeyRotationPolicy(name: string, o?: CallOptions): Promise<KeyRotationPolicy> {
      return policyOf("getKeyRotationPolicy", "GET", name, undefined, o);
    },

    /**
     * Replaces the rotation policy. Vaults add a Notify action of their own. Needs keys/setrotationpolicy.
     * @see https://learn.microsoft.com/rest/api/keyvault/keys/update-key-rotation-policy/update-key-rotation-policy
     */
    updateKeyRotationPolicy(name: string, policy: KeyRotationPolicyInput, o?: CallOptions): Promise<KeyRotationPolicy> {
      return policyOf("updateKeyRotationPolicy", "PUT", name, () => encodeRotationPolicy(policy), o);
    },
  };
}

/** What of a JWK the service shows again; a BYOK package shows nothing of its key. */
function publicHalf(key: Record<string, unknown>): AskedKey | undefined {
  const text = (member: string) => (typeof key[member] === "string" ? key[member] : undefined);
  const keyType = text("kty");
  if (keyType === undefined) return undefined;
  return { keyType, curve: text("crv"), n: text("n"), e: text("e"), x: text("x"), y: text("y") };
}

/** The id of a policy is a URL, or a path on a Managed HSM; some servers give none, or something else. */
function namesAnother(id: string | undefined, name: string): string | undefined {
  const [, named] = /(?:^|\/)keys\/([0-9a-zA-Z-]{1,127})\/rotationpolicy$/i.exec(id ?? "") ?? [];
  return named === undefined || named.toLowerCase() === name.toLowerCase() ? undefined : `it names "${named}"`;
}
