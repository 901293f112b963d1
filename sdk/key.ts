import * as pulumi from "@pulumi/pulumi";
import type { KeyFacts } from "../provider/key/key-inputs.js";
import { recordedKeyOps, recordedKeySize, recordedPublicJwk, recordedThumbprint } from "../provider/key/key-outputs.js";
import { type NormalisedJwk, publicKeyJwk, publicKeyOpenSsh, publicKeyPem } from "../provider/material/public-key.js";
import { type RestoreSource, restoreInputs } from "./backup-resource.js";
import { carriedMaps } from "./carried-maps.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { deriveOutput, versionedId } from "./derived-output.js";
import { identityInputs } from "./identity-inputs.js";
import { tellIfLeftOut } from "./left-out-objects.js";
import type { Listed, ObjectArgs, Without } from "./object-args.js";
import { kindOf } from "./resource-kind.js";
import { gottenOptions, resourceOptions, timeoutInputs } from "./resource-options.js";
import { settleTransformations } from "./transformed-resource.js";
import { withheldTraces } from "./withheld-traces.js";

/** A passphrase inline, or where the provider reads it: an environment variable or a file. */
export type Passphrase = pulumi.Input<string> | { env: string } | { file: string };

/** What an import may say beside its material. */
export interface Wrapped {
  /**
   * Wrap the material on its way with this key exchange key of the same vault, a Key or its id: an `RSA-HSM` key with
   * `keyOps: ["import"]`. It then crosses the wire as a transfer blob that the vault's HSM alone can open, and the key
   * is kept there, as with `hardwareProtected: true`. Needs keys/get. Changing it does nothing.
   */
  wrapWith?: Key | pulumi.Input<string>;
}

/** @internal */
type KeyImportMember =
  | "jwk"
  | "pem"
  | "pfx"
  | "byok"
  | "file"
  | "env"
  | "passphrase"
  | "keyType"
  | "curve"
  | "wrapWith";
type ImportOf<Form> = Form & Without<Exclude<KeyImportMember, keyof Form>>;

/** Of a transfer blob, which does not say what is in it. */
interface TransferredKey {
  /** Default `RSA-HSM`. */
  keyType?: "RSA-HSM" | "EC-HSM";
  /** Of an `EC-HSM` key. */
  curve?: KeyCurve;
}

/**
 * Private key material in one form. `{ file }` and `{ env }` are read inside the provider and never pass through the
 * engine; the kind (JWK, PEM with PKCS#1, PKCS#8, SEC1, encrypted PKCS#8 or OpenSSH's format, PFX, `.byok`) is told by
 * the content.
 * Only the thumbprint goes into state.
 */
export type KeyImport =
  | ImportOf<{ jwk: pulumi.Input<string> | pulumi.Input<Record<string, unknown>> } & Wrapped>
  | ImportOf<{ pem: pulumi.Input<string>; passphrase?: Passphrase } & Wrapped>
  /** Base64 of the PFX. */
  | ImportOf<{ pfx: pulumi.Input<string>; passphrase?: Passphrase } & Wrapped>
  /** A transfer blob made with a vault's key exchange key. */
  | ImportOf<{ byok: pulumi.Input<string> } & TransferredKey>
  | ImportOf<{ file: string; passphrase?: Passphrase } & TransferredKey & Wrapped>
  | ImportOf<{ env: string; passphrase?: Passphrase } & TransferredKey & Wrapped>;

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

interface Keepers {
  /** Changing any of these makes a new version. */
  keepers?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A key that the vault makes. Changing its type, size or curve makes a new version. */
export type KeyGenerate = Keepers &
  (
    | {
        keyType: pulumi.Input<"RSA" | "RSA-HSM">;
        /** 2048 (the default), 3072 or 4096 bits. */
        keySize?: Listed<2048 | 3072 | 4096, number>;
        curve?: undefined;
      }
    | {
        keyType: pulumi.Input<"EC" | "EC-HSM">;
        /** Default P-256. */
        curve?: Listed<KeyCurve, string>;
        keySize?: undefined;
      }
    | {
        /** In a Managed HSM and, in preview, in vaults of the premium tier; see `keyvault:apiVersion`. */
        keyType: pulumi.Input<"oct-HSM">;
        /** 128, 192 or 256 bits. Default: the service's. */
        keySize?: Listed<128 | 192 | 256, number>;
        curve?: undefined;
      }
  );

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

/** Where the key comes from. */
export type KeySource =
  | {
      /** Material to import. Changing it makes a new version of the key. Needs keys/import. */
      import: pulumi.Input<KeyImport>;
      /** Manage a key that exists, which has to have this material. Needs keys/get. */
      adopt?: pulumi.Input<boolean>;
      generate?: undefined;
      restore?: undefined;
    }
  | {
      /** Let the vault make the key. Changing it makes a new version. Needs keys/create. */
      generate: pulumi.Input<KeyGenerate>;
      import?: undefined;
      restore?: undefined;
      adopt?: false;
    }
  | {
      /**
       * Restore from a backup: all versions, under the same name, in the geography and subscription where it was
       * taken. Changing it later does nothing. Needs keys/restore.
       */
      restore: RestoreSource<"key">;
      import?: undefined;
      generate?: undefined;
      adopt?: false;
    }
  | {
      /** Manage a key that exists, by `name`. Attributes that the program leaves out stay as they are. Needs keys/get. */
      adopt: Listed<true, boolean>;
      import?: undefined;
      generate?: undefined;
      restore?: undefined;
    };

export interface KeySettings extends ObjectArgs {
  /** Default: all that the key type can do. Changing it patches the key; needs keys/update. */
  keyOps?: pulumi.Input<pulumi.Input<KeyOperation>[]>;
  /** Keep the key in an HSM: premium vaults, Managed HSM. Changing it makes a new version. Default false. */
  hardwareProtected?: pulumi.Input<boolean>;
  /** Whether the key can be released; needs `releasePolicy`. Changing it makes a new version. Default false. */
  exportable?: pulumi.Input<boolean>;
  /** Who may have the key released: `data` is the policy's JSON, as text or object. Changing it patches the key. */
  releasePolicy?: pulumi.Input<{
    /** The policy's JSON, with a `version` such as `1.0.0`. */
    data: pulumi.Input<string | Record<string, unknown>>;
    /** Default: the service's. */
    contentType?: pulumi.Input<string>;
    /** It can never be changed again. Default false. */
    immutable?: pulumi.Input<boolean>;
  }>;
  /**
   * When the service makes new versions by itself, which are no drift. Changing it sets the policy (needs
   * keys/setrotationpolicy); removing it sets the service's default.
   */
  rotationPolicy?: pulumi.Input<KeyRotation>;
}

/** Exactly one of `import`, `generate`, `restore` and `adopt`; `adopt` may go with `import` to verify the material. */
export type KeyArgs = KeySettings & KeySource;

/**
 * A key in Azure Key Vault or Managed HSM: imported, generated, restored or adopted.
 *
 * Private material is never in state, which holds its thumbprint. A create looks before it writes, so it never adds
 * a version to a key that is not the stack's (`KV_ALREADY_EXISTS`). Refresh tells drift per property, a swapped key
 * included.
 *
 * Another `vaultUrl` or `name` is another key; every other change is made in place, a new version among them.
 *
 * @example
 * ```ts
 * const signing = new keyvault.Key("signing", {
 *   name: "orders-signing",
 *   import: { file: "signing.pem", passphrase: { env: "SIGNING_PASS" } },
 *   expiresOn: "2027-06-30T00:00:00Z",
 *   tags: { team: "orders" },
 *   onDelete: "retain",
 * });
 * export const publicKey = signing.publicKeyPem;
 *
 * new keyvault.Key("tokens", {
 *   generate: { keyType: "EC", curve: "P-256" },
 *   rotationPolicy: { rotateAfter: "P90D", expireAfter: "P120D" },
 * });
 * ```
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/import-key/import-key
 */
export class Key extends pulumi.CustomResource {
  static {
    settleTransformations(Key, "key");
  }

  /** By which policy packs know it: `validateResourceOfType(Key, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.key;

  /** In the form in which the provider compares it: lower case, no slash at the end. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** In the vault: what the program says, or what follows from the resource's URN. */
  declare readonly name: pulumi.Output<string>;
  /** The current version, 32 hex digits. */
  declare readonly version: pulumi.Output<string>;
  /** `RSA`, `EC`, `oct`, or one of them with `-HSM`. */
  declare readonly keyType: pulumi.Output<string>;
  /** Of an elliptic key; undefined for others. */
  declare readonly curve: pulumi.Output<KeyCurve | undefined>;
  /** What the key may be used for. */
  declare readonly keyOps: pulumi.Output<string[]>;
  /** Whether the key is kept in an HSM. */
  declare readonly hardwareProtected: pulumi.Output<boolean>;
  /** Without the one that says who owns the key. */
  declare readonly tags: pulumi.Output<Record<string, string> | undefined>;
  /** ISO 8601 in UTC; undefined where it never expires. */
  declare readonly expiresOn: pulumi.Output<string | undefined>;
  /** ISO 8601 in UTC; undefined where it is valid from its making. */
  declare readonly notBefore: pulumi.Output<string | undefined>;
  /** When the current version was made, ISO 8601 in UTC. */
  declare readonly createdOn: pulumi.Output<string | undefined>;
  /** When it was last changed, ISO 8601 in UTC. */
  declare readonly updatedOn: pulumi.Output<string | undefined>;
  /** What the vault does with deleted ones: `Recoverable+Purgeable`; without `Purgeable` purge protection is on. */
  declare readonly recoveryLevel: pulumi.Output<string | undefined>;
  /** Days for which a deleted key can be recovered. */
  declare readonly recoverableDays: pulumi.Output<number | undefined>;

  /** A key that exists and is not managed by this program. `id` is its versionless URL. */
  static get(name: string, id: pulumi.Input<string>, opts?: pulumi.CustomResourceOptions): Key {
    return new Key(name, {} as KeyArgs, gottenOptions("key", name, id, opts));
  }

  constructor(name: string, args: KeyArgs, opts?: pulumi.CustomResourceOptions) {
    const type = RESOURCE_TYPES.key;
    const options = resourceOptions("key", name, opts);
    const { import: material, restore, timeouts, ...rest }: Partial<KeyArgs> = args ?? {};
    const identity = opts?.id === undefined ? identityInputs(type, name, opts?.parent) : undefined;
    const traces = withheldTraces();
    try {
      super(
        type,
        name,
        carriedMaps(`Key "${name}"`, {
          ...OUTPUTS,
          ...rest,
          ...identity,
          ...timeoutInputs("key", name, timeouts, opts),
          ...(material === undefined ? {} : { import: importInputs(material) }),
          ...restoreInputs("key", name, restore),
          __provider: providerText("key"),
        }),
        options,
      );
    } catch (error) {
      throw traces.given(error);
    } finally {
      traces.end();
    }
    if (identity) tellIfLeftOut("key", this, { name: rest.name, vaultUrl: rest.vaultUrl, ...identity });
    // State leaves out what the key type implies. Where there is none, in a unit test, the program's word stands.
    deriveOutput<Key, "curve">(this, "curve", () =>
      recordedFacts(this).apply(({ publicKey }) => publicKey?.curve as KeyCurve | undefined),
    );
    deriveOutput<Key, "keyOps">(this, "keyOps", (asked) =>
      recordedFacts(this).apply((facts) =>
        facts.keyType === undefined ? (asked ?? pulumi.output([])) : pulumi.output(recordedKeyOps(facts)),
      ),
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
    return recordedFacts(this).apply(recordedThumbprint);
  }

  /** Bits of the RSA modulus or of the curve; undefined for symmetric keys. */
  get keySize(): pulumi.Output<number | undefined> {
    return recordedFacts(this).apply(recordedKeySize);
  }

  /** SubjectPublicKeyInfo in PEM; undefined for symmetric keys. */
  get publicKeyPem(): pulumi.Output<string | undefined> {
    return recordedFacts(this).apply((facts) => publicKeyPem(recordedPublicJwk(facts)));
  }

  /** With the names and widths of RFC 7518, as other JOSE tools write it; undefined for symmetric keys. */
  get publicKeyJwk(): pulumi.Output<NormalisedJwk | undefined> {
    return recordedFacts(this).apply((facts) => publicKeyJwk(recordedPublicJwk(facts)));
  }

  /** One line for `authorized_keys`; undefined for symmetric keys and for P-256K, which OpenSSH does not know. */
  get publicKeyOpenSsh(): pulumi.Output<string | undefined> {
    return recordedFacts(this).apply((facts) => publicKeyOpenSsh(recordedPublicJwk(facts)));
  }
}

/** Secret as a whole. A key to wrap with may be unknown in a preview, and the material is checked all the same. */
export function importInputs<I extends object>(material: pulumi.Input<I>): pulumi.Input<unknown> {
  if (pulumi.Output.isInstance(material) || material instanceof Promise) {
    return pulumi.secret(pulumi.output(material).apply(withExchangeKey));
  }
  const members: unknown = withExchangeKey(material);
  if (members === null || typeof members !== "object" || !("wrapWith" in members)) return pulumi.secret(members);
  const { wrapWith, ...rest } = members;
  const secrets = Object.entries(rest).map(([name, member]) => [name, pulumi.secret(member)]);
  return { ...Object.fromEntries(secrets), wrapWith: neverAbsent(wrapWith) };
}

/**
 * An Output that turns out to be undefined, such as one that another stack does not have, is no key, and is refused as that:
 * left out on its way it would have the key sent as it is.
 */
function neverAbsent(wrapWith: unknown): unknown {
  if (!pulumi.Output.isInstance(wrapWith) && !(wrapWith instanceof Promise)) return wrapWith;
  return pulumi.output(wrapWith).apply((known: unknown) => known ?? "");
}

/** What is known of a key to wrap with goes along, so that one that cannot do it is refused in the preview. */
function withExchangeKey(material: unknown): unknown {
  if (material === null || typeof material !== "object") return material;
  const wrapWith: unknown = "wrapWith" in material ? material.wrapWith : undefined;
  if (wrapWith === undefined || kindOf(wrapWith) !== "key") return material;
  const { id, version, keyType, keySize, keyOps, notBefore, expiresOn } = wrapWith as Key;
  return { ...material, wrapWith: { id, version, keyType, keySize, keyOps, notBefore, expiresOn } };
}

/**
 * Private members would make the classes of two copies of this package two types, so this is none: what state
 * records of a key, made once for each.
 */
const recorded = new WeakMap<Key, pulumi.Output<Partial<KeyFacts>>>();

function recordedFacts(key: Key): pulumi.Output<Partial<KeyFacts>> {
  const made = recorded.get(key);
  if (made) return made;
  const { keyType, publicKey } = key as unknown as Record<string, pulumi.Output<unknown>>;
  const facts = pulumi.all({ keyType, publicKey }) as pulumi.Output<Partial<KeyFacts>>;
  recorded.set(key, facts);
  return facts;
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
