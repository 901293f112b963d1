import type { KeyReleasePolicy } from "../keyvault/key-bundle.js";
import type { NormalisedJwk } from "../material/public-key.js";

/** What keys and secrets have in common, in the form of the outputs of Key and Secret. Moments are ISO 8601 in UTC. */
export interface ObjectFacts {
  /** The versionless URL. */
  id: string;
  /** The vault that was asked. */
  vaultUrl: string;
  /** As the vault writes it. */
  name: string;
  /** Whether it can be used. */
  enabled: boolean;
  /** Not to be used before; undefined where nothing is set. */
  notBefore?: string | undefined;
  /** Not to be used after; undefined where it never expires. */
  expiresOn?: string | undefined;
  /** When this version was made. */
  createdOn?: string | undefined;
  /** When this version was last changed. */
  updatedOn?: string | undefined;
  /** Such as `Recoverable+Purgeable`. */
  recoveryLevel?: string | undefined;
  /** Days for which it can be recovered after a deletion. */
  recoverableDays?: number | undefined;
  /** Without the tag that says which stack owns it. */
  tags: Record<string, string>;
  /** True for what belongs to a certificate. */
  managed: boolean;
}

/** One version of a key: its public half and its attributes. */
export interface GetKeyResult extends ObjectFacts {
  /** 32 hex digits. */
  version: string;
  /** The versioned URL. */
  versionId: string;
  /** `RSA`, `EC`, `oct`, or one of them with `-HSM`. */
  keyType: string;
  /** Bits of the RSA modulus or of the curve; undefined for symmetric keys. */
  keySize?: number | undefined;
  /** `P-256`, `P-384`, `P-521` or `P-256K`. */
  curve?: string | undefined;
  /** What the key may be used for. */
  keyOps: string[];
  /** Whether the key is kept in an HSM. */
  hardwareProtected: boolean;
  /** Whether it can be released. */
  exportable?: boolean | undefined;
  /** `data` is base64url, as the service answers it. */
  releasePolicy?: KeyReleasePolicy | undefined;
  /** RFC 7638 SHA-256 thumbprint; undefined for symmetric keys. */
  thumbprint?: string | undefined;
  /** SubjectPublicKeyInfo; undefined for symmetric keys. */
  publicKeyPem?: string | undefined;
  /** With the names and widths of RFC 7518; undefined for symmetric keys. */
  publicKeyJwk?: NormalisedJwk | undefined;
  /** Undefined for symmetric keys and P-256K. */
  publicKeyOpenSsh?: string | undefined;
}

/** One version of a secret, without its value. */
export interface SecretMetadata extends ObjectFacts {
  /** 32 hex digits. */
  version: string;
  /** The versioned URL. */
  versionId: string;
  /** Undefined where there is none. */
  contentType?: string | undefined;
  /** The URL of the key of the certificate that backs it. */
  keyId?: string | undefined;
}

export interface ReadSecret extends SecretMetadata {
  /** In plain text: what shows it shows the secret. */
  value: string;
}
