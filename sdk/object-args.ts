import type * as pulumi from "@pulumi/pulumi";

/**
 * What every resource takes that owns an object of a vault. Each argument may be an Output; what a preview does not
 * know yet is checked in the update.
 */
export interface ObjectArgs {
  /**
   * URL of the vault or Managed HSM, such as `https://contoso.vault.azure.net`, or `embedded:<file>` for development.
   * Changing it makes another object there, and then does `onDelete` to this one.
   * Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
   */
  vaultUrl?: pulumi.Input<string>;
  /**
   * 1 to 127 letters, digits and hyphens; the vault tells no case. Changing it makes another object, and then does
   * `onDelete` to this one. Default: the resource's name with a suffix that follows from its URN, or the name in the
   * backup to restore.
   */
  name?: pulumi.Input<string>;
  /** Whether it can be used. Default true. Changing it patches the object; needs keys/update or secrets/set. */
  enabled?: pulumi.Input<boolean>;
  /**
   * ISO 8601 with zone, kept in whole seconds, such as `2027-01-01T00:00:00Z`: not to be used before. Default: at once.
   * Moving it patches the object; removing it takes a new version, as the service cannot clear it.
   */
  notBefore?: pulumi.Input<string>;
  /**
   * ISO 8601 with zone, kept in whole seconds, such as `2027-06-30T00:00:00Z`: not to be used after. Default: never.
   * Moving it patches the object; removing it takes a new version, as the service cannot clear it.
   */
  expiresOn?: pulumi.Input<string>;
  /**
   * At most 14 of at most 256 characters each; one more says who owns the object (15 with `keyvault:ownerTag: "false"`).
   * Changing them patches the object. Default: none.
   */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * What happens when the resource goes: `retain` the object, `disable` it (needs update), `delete` it (the default;
   * it can be recovered; needs delete), or `purge` it after that, which is final (needs purge). Changing it sends
   * nothing.
   */
  onDelete?: pulumi.Input<"retain" | "disable" | "delete" | "purge">;
  /**
   * Where a soft-deleted object holds the name: `recover` it and make it what the program says (the default; needs
   * recover), or `fail`. Changing it sends nothing.
   */
  ifSoftDeleted?: pulumi.Input<"recover" | "fail">;
  /**
   * What becomes of the version before when the program makes another: `keep` it usable (the default), or `disable` it
   * once the new one is there (needs update). What a disabled version of a key has encrypted, nothing decrypts until it
   * is enabled again. What a rotation policy makes, and what others make of an adopted object, disables nothing.
   * Changing it sends nothing.
   */
  previousVersions?: pulumi.Input<"keep" | "disable">;
  /**
   * Who asks for this resource: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`.
   * Changing it sends nothing. Default: as the stack says.
   */
  credential?: pulumi.Input<string>;
  /** Time that each operation may take. Pulumi's `customTimeouts` fill in what is left out. Changing them sends nothing. */
  timeouts?: pulumi.Input<OperationTimeouts>;
}

/** Durations of hours, minutes and seconds, such as `90s`, `10m` or `1h30m`. Default: 10 minutes each. */
export interface OperationTimeouts {
  /** To make, import, recover, restore or adopt it, waits for a former object of the name included. */
  create?: pulumi.Input<string>;
  /** To read it in a refresh. */
  read?: pulumi.Input<string>;
  /** To patch it or to make a version. */
  update?: pulumi.Input<string>;
  /** To delete it, the wait for the deletion and the purge included. */
  delete?: pulumi.Input<string>;
}

/**
 * A value of which only a part is allowed, and which a program may compute: TypeScript holds literals to the list, and
 * the preview holds the rest to it.
 */
export type Listed<T extends Wide, Wide> = T | Promise<Wide> | pulumi.OutputInstance<Wide>;

/** Members that another form of the same argument has: an editor refuses the two together. */
export type Without<Member extends string> = { [M in Member]?: undefined };
