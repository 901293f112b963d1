import { listed } from "./object-schema.js";
import {
  type EnumTypeSpec,
  flag,
  type InputSpec,
  many,
  type ObjectTypeSpec,
  one,
  type PropertySpec,
  type ResourceDescription,
  replaces,
  secret,
  text,
  textMap,
  texts,
} from "./package-spec.js";

const to = one(
  "BackupFolder",
  "Keep the blob in a file of this folder (mode 0600) instead of in state. Relative to the project. Changing it takes the backup again. Default: in state, as a secret.",
);
const credential = text(
  "Who asks the vault: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`. Default: as the stack says.",
);
const vaultUrl = replaces(
  text(
    "URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another backup. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.",
  ),
);

/** A backup of one object. Version and moment of a resource of the program are given, so that its change re-takes the backup. */
function objectBackup(kind: "key" | "secret"): ResourceDescription {
  const inputs: Record<string, InputSpec> = {
    vaultUrl,
    name: replaces(text(`The ${kind} to back up: the \`name\` of a resource of the program, or of another one.`)),
    version: text(
      `The \`version\` of the ${kind} resource: a change of it takes the backup again in the same update. Left out, the vault is looked at when the backup is made, updated or refreshed.`,
    ),
    updatedOn: text(`The \`updatedOn\` of the ${kind} resource, beside its \`version\`.`),
    ...(kind === "key"
      ? { rotationPolicy: one("KeyRotation", "The `rotationPolicy` of the key resource, where it has one.") }
      : {}),
    to,
    credential,
  };
  const outputs: Record<string, PropertySpec> = {
    version: text("The newest version that the backup covers."),
    blob: secret(text("The backup: base64url text, a secret. Empty where `to` keeps it in a file.")),
    file: text("Where `to` keeps the blob; else empty."),
    takenOn: text("When the backup was taken, in ISO 8601."),
    digest: text("SHA-256 of the blob: `sha256:` and base64url."),
    sourceId: text(`Id of the ${kind} that the backup is of: its versionless URL.`),
  };
  return {
    description: `A backup of a ${kind} with all its versions, encrypted by the service and restorable in the same geography and subscription. It is taken again whenever the ${kind} changes. Needs ${kind}s/backup.`,
    inputs,
    required: ["name"],
    echoed: ["vaultUrl", "name"],
    outputs,
    given: ["vaultUrl", "name", ...Object.keys(outputs)],
  };
}

export const keyBackupSchema = objectBackup("key");
export const secretBackupSchema = objectBackup("secret");

export const vaultBackupSchema: ResourceDescription = {
  description:
    "A backup of a whole vault, or of a part of it, in one resource. An update takes again only what changed.\n\nBlobs are encrypted by the service and restorable in the same geography and subscription. Objects that the vault no longer has keep their last blob for as long as they are selected. Keys and secrets of certificates are taken only by their own name.\n\nThe engine does not know that a glob covers the program's own keys: make such a backup depend on them.",
  inputs: {
    vaultUrl,
    keys: texts(
      "Names and globs, such as `*` for all, `orders-*`, or what to leave out (`!name`): the vault is looked at when the resource is created, updated or refreshed. Needs keys/backup, keys/get, keys/list.",
    ),
    keyResources: many(
      "BackedUpObject",
      "Keys of the program: a change of one takes its backup again in the same update.",
    ),
    secrets: texts("As `keys`. Values are never read. Needs secrets/backup and secrets/list."),
    secretResources: many("BackedUpObject", "Secrets of the program, as `keyResources`."),
    to,
    onFailure: one(
      "OnBackupFailure",
      "Where some objects cannot be backed up: `fail` the update with their names (the default; the others are kept and the next `up` tries again), or `report` them in `failed` and go on.",
    ),
    allowEmpty: flag(
      "Go on where a glob covers nothing, as in a vault that is still empty. Default false: an update that a misspelled glob leaves without a backup fails with `KV_NOT_FOUND`, takes nothing, and keeps what was taken before.",
    ),
    credential,
  },
  required: [],
  echoed: ["vaultUrl"],
  outputs: {
    blobs: secret(
      one(
        "TextsByKind",
        "The backups by kind and name: base64url text, one secret. Without entries where `to` keeps them in files.",
      ),
    ),
    covered: one("TextsByKind", "The newest version that each backup covers."),
    failed: one("TextsByKind", "Why an object has no backup, or none of its last change."),
    takenOn: text("When a backup was last taken, in ISO 8601."),
    digest: text("SHA-256 of the blobs, or of the folder's manifest: `sha256:` and base64url."),
  },
  given: ["vaultUrl", "blobs", "covered", "takenOn", "digest"],
};

export const backupTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  BackupFolder: {
    type: "object",
    description: "A folder for backups, each file with mode 0600.",
    properties: { folder: text("Relative to the project.") },
    required: ["folder"],
  },
  OnBackupFailure: listed("What happens where some objects cannot be backed up.", ["fail", "report"]),
  BackedUpObject: {
    type: "object",
    description: "The outputs of a key or secret of the program by which a backup tells its changes.",
    properties: {
      vaultUrl: text("Its `vaultUrl`."),
      name: text("Its `name`."),
      version: text("Its `version`."),
      updatedOn: text("Its `updatedOn`."),
      rotationPolicy: one("KeyRotation", "The `rotationPolicy` of a key, where it has one."),
    },
    required: ["vaultUrl", "name", "version"],
  },
  TextsByKind: {
    type: "object",
    description: "Something of each key and secret, by name.",
    properties: { keys: textMap("Of each key."), secrets: textMap("Of each secret.") },
    required: ["keys", "secrets"],
  },
};
