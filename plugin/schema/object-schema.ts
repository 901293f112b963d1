import { IF_SOFT_DELETED, ON_DELETE } from "../../provider/object/object-inputs.js";
import { PREVIOUS_VERSIONS } from "../../provider/object/previous-versions.js";
import {
  type EnumTypeSpec,
  flag,
  type InputSpec,
  type ObjectTypeSpec,
  one,
  type PropertySpec,
  patches,
  replaces,
  secret,
  sendsNothing,
  text,
  textMap,
} from "./package-spec.js";

/** What every resource takes that owns an object of a vault. */
export const objectInputs: Record<string, InputSpec> = {
  vaultUrl: replaces(
    text(
      "URL of the vault or Managed HSM, such as `https://contoso.vault.azure.net`, or `embedded:<file>` for development. Changing it makes another object there, and then does `onDelete` to this one. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.",
    ),
  ),
  name: replaces(
    text(
      "1 to 127 letters, digits and hyphens; the vault tells no case. Changing it makes another object, and then does `onDelete` to this one. Default: the resource's name with a suffix that follows from its URN, or the name in the backup to restore.",
    ),
  ),
  enabled: patches(
    flag("Whether it can be used. Default true. Changing it patches the object; needs keys/update or secrets/set."),
  ),
  notBefore: patches(
    text(
      "ISO 8601 with zone, kept in whole seconds, such as `2027-01-01T00:00:00Z`: not to be used before. Default: at once. Moving it patches the object; removing it takes a new version, as the service cannot clear it.",
    ),
  ),
  expiresOn: patches(
    text(
      "ISO 8601 with zone, kept in whole seconds, such as `2027-06-30T00:00:00Z`: not to be used after. Default: never. Moving it patches the object; removing it takes a new version, as the service cannot clear it.",
    ),
  ),
  tags: patches(
    textMap(
      'At most 14 of at most 256 characters each; one more says who owns the object (15 with `keyvault:ownerTag: "false"`). Changing them patches the object. Default: none.',
    ),
  ),
  onDelete: sendsNothing(
    one(
      "OnDelete",
      "What happens when the resource goes: `retain` the object, `disable` it (needs update), `delete` it (the default; it can be recovered; needs delete), or `purge` it after that, which is final (needs purge). Changing it sends nothing.",
    ),
  ),
  ifSoftDeleted: sendsNothing(
    one(
      "IfSoftDeleted",
      "Where a soft-deleted object holds the name: `recover` it and make it what the program says (the default; needs recover), or `fail`. Changing it sends nothing.",
    ),
  ),
  previousVersions: sendsNothing(
    one(
      "PreviousVersions",
      "What becomes of the version before when the program makes another: `keep` it usable (the default), or `disable` it once the new one is there (needs update). What a disabled version of a key has encrypted, nothing decrypts until it is enabled again. What a rotation policy makes, and what others make of an adopted object, disables nothing. Changing it sends nothing.",
    ),
  ),
  credential: sendsNothing(
    text(
      "Who asks for this resource: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`. Changing it sends nothing. Default: as the stack says.",
    ),
  ),
  timeouts: sendsNothing(
    one(
      "OperationTimeouts",
      "Time that each operation may take. Pulumi's `customTimeouts` fill in what is left out. Changing them sends nothing.",
    ),
  ),
};

/** Recorded as they were given, or as the vault has them. */
export const echoedInputs = ["vaultUrl", "name", "tags", "expiresOn", "notBefore"] as const;

export function objectOutputs(kind: "key" | "secret"): Record<string, PropertySpec> {
  return {
    version: text("The current version, 32 hex digits."),
    versionId: text("The versioned URL."),
    createdOn: text("When the current version was made, ISO 8601 in UTC."),
    updatedOn: text("When it was last changed, ISO 8601 in UTC."),
    recoveryLevel: text(
      "What the vault does with deleted ones: `Recoverable+Purgeable`; without `Purgeable` purge protection is on.",
    ),
    recoverableDays: { type: "integer", description: `Days for which a deleted ${kind} can be recovered.` },
  };
}

/** Of the object and of its current version: always there. */
export const givenOutputs = ["vaultUrl", "name", "version", "versionId"] as const;

export function listed(description: string, values: readonly (string | number)[]): EnumTypeSpec {
  const isText = values.every((value) => typeof value === "string");
  return {
    type: isText ? "string" : "integer",
    description,
    enum: values.map((value) => (typeof value === "string" ? { name: memberName(value), value } : { value })),
  };
}

/** As a constant can be called in every language: `P-256K` is `P256K`, `RSA-HSM` is `RsaHsm`. */
function memberName(value: string): string {
  const words = value.split(/[^0-9A-Za-z]+/);
  return words
    .map((word) => (/^[A-Z]{2,}$/.test(word) ? word[0] + word.slice(1).toLowerCase() : word))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

export const objectTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  OnDelete: listed("What happens to an object when its resource goes.", ON_DELETE),
  IfSoftDeleted: listed("What happens where a soft-deleted object holds the name.", IF_SOFT_DELETED),
  PreviousVersions: listed("What becomes of the version before when another is made.", PREVIOUS_VERSIONS),
  OperationTimeouts: {
    type: "object",
    description: "Durations of hours, minutes and seconds, such as `90s`, `10m` or `1h30m`. Default: 10 minutes each.",
    properties: {
      create: text("To make, import, recover, restore or adopt it, waits for a former object of the name included."),
      read: text("To read it in a refresh."),
      update: text("To change it."),
      delete: text("To delete it, the wait for the deletion and the purge included."),
    },
  },
  Restore: {
    type: "object",
    description:
      "What to restore from: the outputs `blob` (or `file`), `name` and `version` of a backup, or a blob from elsewhere.",
    properties: {
      blob: secret(text("The backup: base64url text.")),
      file: text("Path of a file that holds it, read in the provider."),
      sourceName: text("The name that it was backed up under: the `name` of the backup resource."),
      version: text(
        "The newest version in it, the `version` of the backup resource: by it a restore that an interrupted run had made is known again.",
      ),
    },
  },
  TextSource: {
    type: "object",
    description: "Where the provider reads a text, so that it never passes through the engine: give one of them.",
    properties: {
      env: text("Name of an environment variable."),
      file: text("Path of a file, relative to the project."),
    },
  },
};
