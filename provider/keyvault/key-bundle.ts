/** The public half of a key as the service returns it: base64url numbers exactly as sent, no private member. */
export interface PublicJwk {
  /** `RSA`, `EC`, `oct` or one of the `-HSM` types. Open: later api-versions add types. */
  kty: string;
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
}

/** What every answer about a key carries, whether one key or a line of a list. */
export interface KeyProperties {
  /** The identifier as the service wrote it. Its host may differ from the vault that was asked: never build a URL from it. */
  id: string;
  name: string;
  /** 32 hex digits. Absent in lists, which speak of the current version. */
  version?: string;
  enabled: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  createdOn?: Date;
  updatedOn?: Date;
  /** For example `Recoverable+Purgeable`; purging is possible where it contains `Purgeable`. */
  recoveryLevel?: string;
  /** Days a deleted key can be recovered: 7 to 90, 0 without soft delete. */
  recoverableDays?: number;
  exportable?: boolean;
  hsmPlatform?: string;
  /** `{}` where the service sends none. */
  tags: Record<string, string>;
  /** True for the key of a certificate, which only the certificate's owner may change. */
  managed: boolean;
}

/** A key version: its public half, what it may do, and its attributes. */
export interface KeyBundle extends KeyProperties {
  version: string;
  keyType: string;
  /** As the service wrote it: `SECP256K1` and `P-256K` are the same curve. */
  curve?: string;
  /** Bits of the RSA modulus or of the curve's field. */
  keySize?: number;
  /** Absent where a server leaves `key_ops` out. */
  keyOps?: string[];
  publicKey: PublicJwk;
  releasePolicy?: KeyReleasePolicy;
}

export interface KeyReleasePolicy {
  contentType?: string;
  /** Base64url of the policy's JSON, as it crosses the wire. */
  data?: string;
  immutable?: boolean;
}

export interface SoftDeleted {
  recoveryId?: string;
  deletedOn?: Date;
  /** From this moment the service purges the object by itself. */
  scheduledPurgeDate?: Date;
}

export interface DeletedKeyBundle extends KeyBundle, SoftDeleted {}

/** A line of Get Keys: the current version's attributes, without the key. */
export type KeyItem = KeyProperties;

export interface DeletedKeyItem extends KeyItem, SoftDeleted {}

/** A rotation policy as it is set. */
export interface KeyRotationPolicyInput {
  /** ISO 8601 duration, at least 28 days. */
  expiryTime?: string;
  /** The service takes the actions in any case, and adds a Notify of its own on a vault. Other servers are stricter: they are sent as they are given. */
  lifetimeActions: { action: string; timeAfterCreate?: string; timeBeforeExpiry?: string }[];
}

export interface KeyRotationPolicy {
  id?: string;
  /** ISO 8601 duration, at least 28 days. */
  expiryTime?: string;
  lifetimeActions: { action: "Rotate" | "Notify"; timeAfterCreate?: string; timeBeforeExpiry?: string }[];
  createdOn?: Date;
  updatedOn?: Date;
}
