import type { KeyProperties, SoftDeleted } from "./key-bundle.js";

export interface SecretProperties extends Omit<KeyProperties, "exportable" | "hsmPlatform"> {
  contentType?: string;
  /** The key's identifier where a certificate backs this secret. */
  keyId?: string;
}

/** A secret version. `value` is present in the answers of set and get only. */
export interface SecretBundle extends SecretProperties {
  version: string;
  value?: string;
}

export interface DeletedSecretBundle extends SecretBundle, SoftDeleted {}

export type SecretItem = SecretProperties;

export interface DeletedSecretItem extends SecretItem, SoftDeleted {}
