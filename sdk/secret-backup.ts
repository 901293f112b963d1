import * as pulumi from "@pulumi/pulumi";
import {
  type BackupArgs,
  backupInputs,
  backupOutputs,
  deriveBackupOutputs,
  type RestorableValue,
  restorableValue,
} from "./backup-resource.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { ownerInputs } from "./identity-inputs.js";
import { resourceOptions } from "./resource-options.js";
import type { Secret } from "./secret.js";
import { settleTransformations } from "./transformed-resource.js";
import { withheldTraces } from "./withheld-traces.js";

/** The secret to back up: a Secret of this program, or the name of one that it does not manage. */
export type SecretBackupArgs = BackupArgs &
  (
    | { secret: Secret; vaultUrl?: never; name?: never }
    | { secret?: never; vaultUrl?: pulumi.Input<string>; name: pulumi.Input<string> }
  );

/**
 * A backup of a secret with all its versions, encrypted by the service and restorable in the same geography and
 * subscription. It is taken again whenever the secret changes. Needs secrets/backup.
 *
 * @example
 * ```ts
 * const backup = new keyvault.SecretBackup("db", { secret: password, to: { folder: "escrow" } });
 * export const file = backup.file;
 * ```
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/backup-secret/backup-secret
 */
export class SecretBackup extends pulumi.CustomResource {
  static {
    settleTransformations(SecretBackup, "secretBackup");
  }

  /** Of the vault that is backed up. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** Of the secret that is backed up. */
  declare readonly name: pulumi.Output<string>;
  /** The backup: base64url text, a secret. Undefined where `to` keeps it in a file. */
  declare readonly blob: pulumi.Output<string>;
  /** The newest version that the backup covers. */
  declare readonly version: pulumi.Output<string>;
  /** When the backup was taken, in ISO 8601. */
  declare readonly takenOn: pulumi.Output<string>;
  /** SHA-256 of the blob: `sha256:` and base64url. */
  declare readonly digest: pulumi.Output<string>;
  /** Where `to` keeps the blob. */
  declare readonly file: pulumi.Output<string | undefined>;

  constructor(name: string, args: SecretBackupArgs, opts?: pulumi.CustomResourceOptions) {
    const options = resourceOptions("secretBackup", name, opts);
    const { secret, ...rest } = args ?? {};
    const traces = withheldTraces();
    try {
      super(
        RESOURCE_TYPES.secretBackup,
        name,
        {
          ...backupOutputs,
          ...backupInputs("secret", name, rest, secret),
          ...ownerInputs(RESOURCE_TYPES.secretBackup, name, opts?.parent),
          __provider: providerText("secretBackup"),
        },
        options,
      );
    } catch (error) {
      throw traces.given(error);
    } finally {
      traces.end();
    }
    deriveBackupOutputs(this);
  }

  /**
   * The backup with its name and version in one secret, for a stack output: another stack passes it on as the
   * `restore` of a Secret.
   */
  get restorable(): pulumi.Output<RestorableValue> {
    const { blob, file, name: sourceName, version } = this;
    return restorableValue({ blob, file, sourceName, version });
  }

  /** What it is a backup of: it can be restored as nothing else. */
  get kind(): "secret" {
    return "secret";
  }

  /** Id of the secret that the backup is of: its versionless URL. */
  get sourceId(): pulumi.Output<string> {
    return pulumi.interpolate`${this.vaultUrl}/secrets/${this.name}`;
  }
}
