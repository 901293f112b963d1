import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_KEY_OPS, type KeyFacts, keyFamily } from "../provider/key/key-inputs.js";
import { recordedPublicJwk, recordedThumbprint } from "../provider/key/key-outputs.js";
import { type NormalisedJwk, publicKeyJwk, publicKeyOpenSsh, publicKeyPem } from "../provider/material/public-key.js";
import { type Restorable, type RestorableValue, restoreInputs } from "./backup-resource.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { deriveOutput, versionedId } from "./derived-output.js";
import { identityInputs } from "./identity-inputs.js";
import type { KeyBackup } from "./key-backup.js";
import { renamedOptions } from "./renamed-options.js";
import { gottenOptions, refuseOptions, timeoutInputs } from "./resource-options.js";

/** A passphrase inline, or where the provider reads it: an environment variable or a file. */
export type Passphrase = pulumi.Input<string> | { env: string } | { file: string };

/**
 * Private key material. `{ file }` and `{ env }` are read inside the provider and never pass through the engine;
 * the kind (JWK, PEM with PKCS#1, PKCS#8, SEC1, encrypted PKCS#8 or OpenSSH's format, PFX, `.byok`) is told by the content.
 * Only the thumbprint goes into state.
 */
export type KeyImport =
  | { jwk: pulumi.Input<string> | pulumi.Input<Record<string, unknown>> }
  | { pem: pulumi.Input<string>; passphrase?: Passphrase }
  /** Base64 of the PFX. */
  | { pfx: pulumi.Input<string>; passphrase?: Passphrase }
  /** A transfer blob made with a vault's key exchange key. Its key type is not in it; default `RSA-HSM`. */
  | { byok: pulumi.Input<string>; keyType?: "RSA-HSM" | "EC-HSM"; curve?: KeyCurve }
  | { file: string; passphrase?: Passphrase; keyType?: "RSA-HSM" | "EC-HSM"; curve?: KeyCurve }
  | { env: string; passphrase?: Passphrase; keyType?: "RSA-HSM" | "EC-HSM"; curve?: KeyCurve };

export type KeyCurve = "P-256" | "P-384" | "P-521" | "P-256K";

export type KeyOperation =
  | "encrypt"
  | "decrypt"
  | "sign"
  | "verify"
  | "wrapKey"
  | "unwrapKey"
  | "import"
  | "export"
  | "deriveKey";

export interface KeyGenerate {
  keyType: pulumi.Input<"RSA" | "EC" | "RSA-HSM" | "EC-HSM" | "oct-HSM">;
  /** RSA: 2048 (default), 3072 or 4096 bits. oct-HSM: 128, 192 or 256. */
  keySize?: pulumi.Input<number>;
  /** EC: default P-256. */
  curve?: pulumi.Input<KeyCurve>;
  /** Changing any of these makes a new version. */
  keepers?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Durations are ISO 8601 in years, months or days, such as `P90D`. */
export interface KeyRotation {
  /** Rotate this long after a version was made; at least 7 days. */
  rotateAfter?: pulumi.Input<string>;
  /** Rotate this long before a version expires; at least 7 days, and needs `expireAfter`. */
  rotateBeforeExpiry?: pulumi.Input<string>;
  /** New versions expire after this long; at least 28 days. */
  expireAfter?: pulumi.Input<string>;
  /** Default P30D, which the service adds by itself. */
  notifyBeforeExpiry?: pulumi.Input<string>;
}

export interface OperationTimeouts {
  /** Durations such as `90s` or `10m`. Default: 10 minutes each. */
  create?: pulumi.Input<string>;
  read?: pulumi.Input<string>;
  update?: pulumi.Input<string>;
  delete?: pulumi.Input<string>;
}

/** Exactly one of `import`, `generate`, `restore` and `adopt`; `adopt` may go with `import` to verify the material. */
export interface KeyArgs {
  /**
   * URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another key.
   * Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /**
   * 1 to 127 letters, digits and hyphens. Changing it makes another key. Default: the resource's name with a suffix,
   * or the name of the key in the backup to restore.
   */
  name?: pulumi.Input<string>;
  /** Material to import. Changing it makes a new version of the key. Needs keys/import. */
  import?: pulumi.Input<KeyImport>;
  /** Let the vault make the key. Changing it makes a new version. Needs keys/create. */
  generate?: pulumi.Input<KeyGenerate>;
  /** Restore from a backup: all versions, under the same name. Changing it later does nothing. Needs keys/restore. */
  restore?:
    | KeyBackup
    | Restorable
    | pulumi.Input<RestorableValue>
    | { blob: pulumi.Input<string> }
    | { file: pulumi.Input<string> };
  /** Manage a key that exists. Attributes that the program leaves out stay as they are. */
  adopt?: pulumi.Input<boolean>;
  /** Default true. Changing it patches the key. */
  enabled?: pulumi.Input<boolean>;
  /** ISO 8601 with zone. Moving it patches the key; removing it makes a new version, as the service cannot clear it. */
  notBefore?: pulumi.Input<string>;
  /** ISO 8601 with zone. Moving it patches the key; removing it makes a new version, as the service cannot clear it. */
  expiresOn?: pulumi.Input<string>;
  /** Default: all that the key type can do. Changing it patches the key. */
  keyOps?: pulumi.Input<pulumi.Input<KeyOperation>[]>;
  /** At most 15. Changing them patches the key. */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Keep the key in an HSM (premium vaults). Changing it makes a new version. Default false. */
  hardwareProtected?: pulumi.Input<boolean>;
  /** Whether the key can be released; needs `releasePolicy`. Changing it makes a new version. Default false. */
  exportable?: pulumi.Input<boolean>;
  /** `data` is the policy's JSON, as text or object. */
  releasePolicy?: pulumi.Input<{
    data: pulumi.Input<string | Record<string, unknown>>;
    contentType?: pulumi.Input<string>;
    immutable?: pulumi.Input<boolean>;
  }>;
  /** Versions that it makes are no drift. Changing it sets the policy; removing it sets the service's default. */
  rotationPolicy?: pulumi.Input<KeyRotation>;
  /**
   * What happens when the resource goes: `retain` it, `disable` it, `delete` it (the default; it can be recovered),
   * or `purge` it after that, which is final.
   */
  onDelete?: pulumi.Input<"retain" | "disable" | "delete" | "purge">;
  /** Where a soft-deleted key holds the name: `recover` it (the default) and make it what the program says, or `fail`. */
  ifSoftDeleted?: pulumi.Input<"recover" | "fail">;
  /** Time that each operation may take. Pulumi's `customTimeouts` fill in what is left out. Changing them sends nothing. */
  timeouts?: pulumi.Input<OperationTimeouts>;
}

/**
 * A key in Azure Key Vault or Managed HSM: imported, generated, restored or adopted.
 *
 * Private material is never in state, which holds its thumbprint. A create looks before it writes, so it never adds
 * a version to a key that is not the stack's. Refresh tells drift per property, a swapped key included.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/import-key/import-key
 */
export class Key extends pulumi.CustomResource {
  /** By which policy packs know it: `validateResourceOfType(Key, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.key;

  declare readonly vaultUrl: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  /** The current version, 32 hex digits. */
  declare readonly version: pulumi.Output<string>;
  /** `RSA`, `EC`, `oct`, or one of them with `-HSM`. */
  declare readonly keyType: pulumi.Output<string>;
  declare readonly curve: pulumi.Output<KeyCurve | undefined>;
  declare readonly keyOps: pulumi.Output<string[]>;
  /** Whether the key is kept in an HSM. */
  declare readonly hardwareProtected: pulumi.Output<boolean>;
  declare readonly tags: pulumi.Output<Record<string, string> | undefined>;
  declare readonly expiresOn: pulumi.Output<string | undefined>;
  declare readonly notBefore: pulumi.Output<string | undefined>;
  declare readonly createdOn: pulumi.Output<string | undefined>;
  declare readonly updatedOn: pulumi.Output<string | undefined>;
  /** Such as `Recoverable+Purgeable`. */
  declare readonly recoveryLevel: pulumi.Output<string | undefined>;
  /** Days for which a deleted key can be recovered. */
  declare readonly recoverableDays: pulumi.Output<number | undefined>;

  #facts: pulumi.Output<Partial<KeyFacts>> | undefined;

  /** A key that exists and is not managed by this program. `id` is its versionless URL. */
  static get(name: string, id: pulumi.Input<string>, opts?: pulumi.CustomResourceOptions): Key {
    return new Key(name, {}, gottenOptions("key", name, id, opts));
  }

  constructor(name: string, args: KeyArgs, opts?: pulumi.CustomResourceOptions) {
    const type = RESOURCE_TYPES.key;
    refuseOptions("key", name, opts);
    const { import: material, restore, timeouts, ...rest } = args ?? {};
    super(
      type,
      name,
      {
        ...OUTPUTS,
        ...rest,
        ...(opts?.id === undefined ? identityInputs(type, name, opts?.parent) : {}),
        ...timeoutInputs("key", name, timeouts, opts),
        ...(material === undefined ? {} : { import: pulumi.secret(material) }),
        ...restoreInputs("key", name, restore),
        __provider: providerText("key"),
      },
      renamedOptions(opts, "import", "thumbprint"),
    );
    // State leaves out what the key type implies. Where there is none, in a unit test, the program's word stands.
    deriveOutput<Key, "curve">(this, "curve", () =>
      this.#recorded().apply(({ publicKey }) => publicKey?.curve as KeyCurve | undefined),
    );
    deriveOutput<Key, "keyOps">(this, "keyOps", (asked) =>
      this.#recorded().apply(({ keyType, publicKey }) => {
        if (keyType === undefined) return asked ?? pulumi.output([]);
        return pulumi.output(publicKey?.keyOps ?? [...(DEFAULT_KEY_OPS[keyFamily(keyType)] ?? [])]);
      }),
    );
    deriveOutput<Key, "hardwareProtected">(this, "hardwareProtected", (asked) =>
      this.keyType.apply((keyType: string | undefined) =>
        keyType === undefined ? (asked ?? pulumi.output(false)) : pulumi.output(keyType.endsWith("-HSM")),
      ),
    );
  }

  /** The versioned URL. */
  get versionId(): pulumi.Output<string> {
    return versionedId(this);
  }

  /** RFC 7638 SHA-256 thumbprint of the current version's public key; undefined for symmetric keys. */
  get thumbprint(): pulumi.Output<string | undefined> {
    return this.#recorded().apply(recordedThumbprint);
  }

  /** Bits of the RSA modulus or of the curve; undefined for symmetric keys. */
  get keySize(): pulumi.Output<number | undefined> {
    return this.#recorded().apply(({ publicKey: { n, curve } = {} }) => {
      if (n) return Buffer.from(n, "base64url").length * 8;
      return curve === "P-256K" ? 256 : curve ? Number(curve.slice(2)) : undefined;
    });
  }

  /** SubjectPublicKeyInfo in PEM; undefined for symmetric keys. */
  get publicKeyPem(): pulumi.Output<string | undefined> {
    return this.#recorded().apply((facts) => publicKeyPem(recordedPublicJwk(facts)));
  }

  /** With the names and widths of RFC 7518, as other JOSE tools write it; undefined for symmetric keys. */
  get publicKeyJwk(): pulumi.Output<NormalisedJwk | undefined> {
    return this.#recorded().apply((facts) => publicKeyJwk(recordedPublicJwk(facts)));
  }

  /** One line for `authorized_keys`; undefined for symmetric keys and for P-256K, which OpenSSH does not know. */
  get publicKeyOpenSsh(): pulumi.Output<string | undefined> {
    return this.#recorded().apply((facts) => publicKeyOpenSsh(recordedPublicJwk(facts)));
  }

  #recorded(): pulumi.Output<Partial<KeyFacts>> {
    const { keyType, publicKey } = this as unknown as Record<string, pulumi.Output<unknown>>;
    this.#facts ??= pulumi.all({ keyType, publicKey }) as pulumi.Output<Partial<KeyFacts>>;
    return this.#facts;
  }
}

/** Every output has to be named, or the SDK makes none of it. */
const OUTPUTS = {
  vaultUrl: undefined,
  name: undefined,
  version: undefined,
  keyType: undefined,
  publicKey: undefined,
  tags: undefined,
  expiresOn: undefined,
  notBefore: undefined,
  createdOn: undefined,
  updatedOn: undefined,
  recoveryLevel: undefined,
  recoverableDays: undefined,
};
