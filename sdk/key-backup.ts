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
import type { Key } from "./key.js";
import { resourceOptions } from "./resource-options.js";
import { settleTransformations } from "./transformed-resource.js";
import { withheldTraces } from "./withheld-traces.js";

/** The key to back up: a Key of this program, or the name of one that it does not manage. */
export type KeyBackupArgs = BackupArgs &
  (
    | { key: Key; vaultUrl?: never; name?: never }
    | { key?: never; vaultUrl?: pulumi.Input<string>; name: pulumi.Input<string> }
  );

/**
 * A backup of a key with all its versions, encrypted by the service and restorable in the same geography and
 * subscription. It is taken again whenever the key changes. Needs keys/backup.
 *
 * @example
 * ```ts
 * const backup = new keyvault.KeyBackup("signing", { key: signing });
 * export const blob = backup.blob; // a secret stack output
 * new keyvault.Key("signing-standby", { vaultUrl: standby, restore: backup });
 * ```
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/backup-key/backup-key
 */
export class KeyBackup extends pulumi.CustomResource {
  static {
    settleTransformations(KeyBackup, "keyBackup");
  }

  /** Of the vault that is backed up. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** Of the key that is backed up. */
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

  constructor(name: string, args: KeyBackupArgs, opts?: pulumi.CustomResourceOptions) {
    const options = resourceOptions("keyBackup", name, opts);
    const { key, ...rest } = args ?? {};
    const traces = withheldTraces();
    try {
      super(
        RESOURCE_TYPES.keyBackup,
        name,
        {
          ...backupOutputs,
          ...backupInputs("key", name, rest, key),
          ...ownerInputs(RESOURCE_TYPES.keyBackup, name, opts?.parent),
          __provider: providerText("keyBackup"),
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
   * `restore` of a Key.
   */
  get restorable(): pulumi.Output<RestorableValue> {
    const { blob, file, name: sourceName, version } = this;
    return restorableValue({ blob, file, sourceName, version });
  }

  /** What it is a backup of: it can be restored as nothing else. */
  get kind(): "key" {
    return "key";
  }

  /** Id of the key that the backup is of: its versionless URL. */
  get sourceId(): pulumi.Output<string> {
    return pulumi.interpolate`${this.vaultUrl}/keys/${this.name}`;
  }
}
