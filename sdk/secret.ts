import * as pulumi from "@pulumi/pulumi";
import { type Restorable, type RestorableValue, restoreInputs } from "./backup-resource.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { versionedId } from "./derived-output.js";
import { identityInputs } from "./identity-inputs.js";
import type { OperationTimeouts } from "./key.js";
import { renamedOptions } from "./renamed-options.js";
import { gottenOptions, refuseOptions, timeoutInputs } from "./resource-options.js";
import type { SecretBackup } from "./secret-backup.js";

/** Exactly one of `value`, `restore` and `adopt`; `adopt` may go with `value`. */
export interface SecretArgs {
  /**
   * URL of the vault, or `embedded:<file>` for development. Changing it makes another secret.
   * Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /** 1 to 127 letters, digits and hyphens. Changing it makes another secret. Default: the resource's name with a suffix. */
  name?: pulumi.Input<string>;
  /** At most 25,600 bytes; may be empty. Only a salted digest goes into state. Changing it makes a new version. Needs secrets/set. */
  value?: pulumi.Input<string>;
  /** Restore from a backup: all versions, under the same name. Changing it later does nothing. Needs secrets/restore. */
  restore?:
    | SecretBackup
    | Restorable
    | pulumi.Input<RestorableValue>
    | { blob: pulumi.Input<string> }
    | { file: pulumi.Input<string> };
  /** Manage a secret that exists. Attributes that the program leaves out stay as they are. */
  adopt?: pulumi.Input<boolean>;
  /** At most 255 characters. Changing it patches the secret; removing it makes a new version. */
  contentType?: pulumi.Input<string>;
  /** Default true. Changing it patches the secret. */
  enabled?: pulumi.Input<boolean>;
  /** ISO 8601 with zone. Moving it patches the secret; removing it makes a new version. */
  notBefore?: pulumi.Input<string>;
  /** ISO 8601 with zone. Moving it patches the secret; removing it makes a new version. */
  expiresOn?: pulumi.Input<string>;
  /** At most 15. Changing them patches the secret. */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** What happens when the resource goes. Default `delete`, which can be recovered. */
  onDelete?: pulumi.Input<"retain" | "disable" | "delete" | "purge">;
  /** Where a soft-deleted secret holds the name. Default `recover`. */
  ifSoftDeleted?: pulumi.Input<"recover" | "fail">;
  /** Time that each operation may take. Pulumi's `customTimeouts` fill in what is left out. Changing them sends nothing. */
  timeouts?: pulumi.Input<OperationTimeouts>;
}

/**
 * A secret in Azure Key Vault. Its value is never in state: drift of it is told by a salted digest.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret
 */
export class Secret extends pulumi.CustomResource {
  /** By which policy packs know it: `validateResourceOfType(Secret, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.secret;

  declare readonly vaultUrl: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  /** The current version, 32 hex digits. */
  declare readonly version: pulumi.Output<string>;
  declare readonly contentType: pulumi.Output<string | undefined>;
  declare readonly tags: pulumi.Output<Record<string, string> | undefined>;
  declare readonly expiresOn: pulumi.Output<string | undefined>;
  declare readonly notBefore: pulumi.Output<string | undefined>;
  declare readonly createdOn: pulumi.Output<string | undefined>;
  declare readonly updatedOn: pulumi.Output<string | undefined>;
  /** Such as `Recoverable+Purgeable`. */
  declare readonly recoveryLevel: pulumi.Output<string | undefined>;
  /** Days for which a deleted secret can be recovered. */
  declare readonly recoverableDays: pulumi.Output<number | undefined>;

  /** A secret that exists and is not managed by this program. `id` is its versionless URL. */
  static get(name: string, id: pulumi.Input<string>, opts?: pulumi.CustomResourceOptions): Secret {
    return new Secret(name, {}, gottenOptions("secret", name, id, opts));
  }

  constructor(name: string, args: SecretArgs, opts?: pulumi.CustomResourceOptions) {
    const type = RESOURCE_TYPES.secret;
    refuseOptions("secret", name, opts);
    const { value, restore, timeouts, ...rest } = args ?? {};
    super(
      type,
      name,
      {
        ...OUTPUTS,
        ...rest,
        ...(opts?.id === undefined ? identityInputs(type, name, opts?.parent) : {}),
        ...(value === undefined ? {} : { value: pulumi.secret(value) }),
        ...timeoutInputs("secret", name, timeouts, opts),
        ...restoreInputs("secret", name, restore),
        __provider: providerText("secret"),
      },
      {
        ...renamedOptions(opts, "value", "valueDigest"),
        additionalSecretOutputs: ["valueDigest", ...(opts?.additionalSecretOutputs ?? [])],
      },
    );
  }

  /** The versioned URL. */
  get versionId(): pulumi.Output<string> {
    return versionedId(this);
  }
}

/** Every output has to be named, or the SDK makes none of it. */
const OUTPUTS = {
  vaultUrl: undefined,
  name: undefined,
  version: undefined,
  contentType: undefined,
  tags: undefined,
  expiresOn: undefined,
  notBefore: undefined,
  createdOn: undefined,
  updatedOn: undefined,
  recoveryLevel: undefined,
  recoverableDays: undefined,
};
