import * as pulumi from "@pulumi/pulumi";
import { type RestoreSource, restoreInputs } from "./backup-resource.js";
import { carriedMaps } from "./carried-maps.js";
import { providerText, RESOURCE_TYPES } from "./contract.js";
import { versionedId } from "./derived-output.js";
import { identityInputs } from "./identity-inputs.js";
import { tellIfLeftOut } from "./left-out-objects.js";
import type { Listed, ObjectArgs } from "./object-args.js";
import { gottenOptions, resourceOptions, timeoutInputs } from "./resource-options.js";
import { settleTransformations } from "./transformed-resource.js";
import { withheldTraces } from "./withheld-traces.js";

/**
 * The value, or where the provider reads it, so that it never passes through the engine: an environment variable, or a
 * file of UTF-8 text, whose final line break is part of the value.
 */
export type SecretValue = pulumi.Input<string> | { env: string; file?: undefined } | { file: string; env?: undefined };

/** A value that the provider makes, of at least 64 bits. Changing any of it makes a new value, and nothing else does. */
export type SecretGenerate = {
  /** Changing any of these makes a new value. */
  keepers?: pulumi.Input<Record<string, pulumi.Input<string>>>;
} & (
  | {
      /** How many characters. */
      length: pulumi.Input<number>;
      /** What they are taken from, each as likely as every other. Default: letters and digits. */
      characters?: pulumi.Input<string>;
      bytes?: undefined;
      encoding?: undefined;
    }
  | {
      /** How many random bytes. */
      bytes: pulumi.Input<number>;
      encoding: Listed<"base64" | "base64url" | "hex", string>;
      length?: undefined;
      characters?: undefined;
    }
);

/** Where the secret comes from. */
type SecretSource =
  | {
      /**
       * At most 25,600 bytes; may be empty. Only a salted digest of it goes into state. Changing it makes a new
       * version. Needs secrets/set.
       */
      value: SecretValue;
      /** Manage a secret that exists, and give it this value. Needs secrets/get. */
      adopt?: pulumi.Input<boolean>;
      generate?: undefined;
      restore?: undefined;
    }
  | {
      /**
       * A random value that is made in the provider and sent to the vault, and that neither the program nor state ever
       * has. Whoever needs it asks the vault. Needs secrets/set.
       */
      generate: pulumi.Input<SecretGenerate>;
      value?: undefined;
      restore?: undefined;
      adopt?: false;
    }
  | {
      /**
       * Restore from a backup: all versions, under the same name, in the geography and subscription where it was
       * taken. Changing it later does nothing. Needs secrets/restore.
       */
      restore: RestoreSource<"secret">;
      value?: undefined;
      generate?: undefined;
      adopt?: false;
    }
  | {
      /** Manage a secret that exists, by `name`. What the program leaves out stays as it is. Needs secrets/get. */
      adopt: Listed<true, boolean>;
      value?: undefined;
      generate?: undefined;
      restore?: undefined;
    };

interface SecretSettings extends ObjectArgs {
  /** At most 255 characters. Changing it patches the secret; removing it makes a new version. Default: none. */
  contentType?: pulumi.Input<string>;
  /**
   * Whether a refresh reads the value to compare it (the default; needs secrets/get). `false` reads the list of versions
   * alone (secrets/list): a version made outside is drift, and its value is not compared. Changing it sends nothing.
   */
  valueDrift?: pulumi.Input<boolean>;
}

/** Exactly one of `value`, `generate`, `restore` and `adopt`; `adopt` may go with `value`. */
export type SecretArgs = SecretSettings & SecretSource;

/**
 * A secret in Azure Key Vault. Its value is never in state: drift of it is told by a salted digest. A create never adds a
 * version to a secret that is not the stack's (`KV_ALREADY_EXISTS`).
 *
 * Another `vaultUrl` or `name` is another secret; every other change is made in place.
 *
 * @example
 * ```ts
 * new keyvault.Secret("smtp", { value: { env: "SMTP_PASSWORD" }, contentType: "text/plain" });
 * new keyvault.Secret("db", { generate: { length: 32, keepers: { year: "2027" } } });
 * ```
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret
 */
export class Secret extends pulumi.CustomResource {
  static {
    settleTransformations(Secret, "secret");
  }

  /** By which policy packs know it: `validateResourceOfType(Secret, …)`. */
  static readonly __pulumiType: string = RESOURCE_TYPES.secret;

  /** In the form in which the provider compares it: lower case, no slash at the end. */
  declare readonly vaultUrl: pulumi.Output<string>;
  /** In the vault: what the program says, or what follows from the resource's URN. */
  declare readonly name: pulumi.Output<string>;
  /** The current version, 32 hex digits. */
  declare readonly version: pulumi.Output<string>;
  /** As the program says; undefined where there is none. */
  declare readonly contentType: pulumi.Output<string | undefined>;
  /** Without the one that says who owns the secret. */
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
  /** Days for which a deleted secret can be recovered. */
  declare readonly recoverableDays: pulumi.Output<number | undefined>;

  /** A secret that exists and is not managed by this program. `id` is its versionless URL. */
  static get(name: string, id: pulumi.Input<string>, opts?: pulumi.CustomResourceOptions): Secret {
    return new Secret(name, {} as SecretArgs, gottenOptions("secret", name, id, opts));
  }

  constructor(name: string, args: SecretArgs, opts?: pulumi.CustomResourceOptions) {
    const type = RESOURCE_TYPES.secret;
    const options = resourceOptions("secret", name, opts);
    const { value, restore, timeouts, ...rest }: Partial<SecretArgs> = args ?? {};
    const identity = opts?.id === undefined ? identityInputs(type, name, opts?.parent) : undefined;
    const traces = withheldTraces();
    try {
      super(
        type,
        name,
        carriedMaps(`Secret "${name}"`, {
          ...OUTPUTS,
          ...rest,
          ...identity,
          ...(value === undefined ? {} : { value: pulumi.secret(value) }),
          ...timeoutInputs("secret", name, timeouts, opts),
          ...restoreInputs("secret", name, restore),
          __provider: providerText("secret"),
        }),
        options,
      );
    } catch (error) {
      throw traces.given(error);
    } finally {
      traces.end();
    }
    if (identity) tellIfLeftOut("secret", this, { name: rest.name, vaultUrl: rest.vaultUrl, ...identity });
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
