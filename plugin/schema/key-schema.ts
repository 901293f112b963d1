import { echoedInputs, givenOutputs, listed, objectInputs, objectOutputs } from "./object-schema.js";
import {
  anything,
  count,
  type EnumTypeSpec,
  flag,
  many,
  type ObjectTypeSpec,
  one,
  patches,
  type ResourceDescription,
  secret,
  text,
  textMap,
} from "./package-spec.js";

export const keySchema: ResourceDescription = {
  description:
    "A key in Azure Key Vault or Managed HSM: imported, generated, restored or adopted.\n\nPrivate material is never in state, which holds its thumbprint. A create looks before it writes, so it never adds a version to a key that is not the stack's. Refresh tells drift per property, a swapped key included.\n\nExactly one of `import`, `generate`, `restore` and `adopt`; `adopt` may go with `import` to verify the material.",
  inputs: {
    ...objectInputs,
    import: secret(
      one("KeyImport", "Material to import. Changing it makes a new version of the key. Needs keys/import."),
    ),
    generate: one("KeyGenerate", "Let the vault make the key. Changing it makes a new version. Needs keys/create."),
    restore: {
      ...one(
        "Restore",
        "Restore from a backup: all versions, under the same name, in the geography and subscription where it was taken. Changing it later does nothing. Needs keys/restore.",
      ),
    },
    adopt: flag(
      "Manage a key that exists, by `name`. Attributes that the program leaves out stay as they are. Needs keys/get.",
    ),
    keyOps: patches(
      many("KeyOperation", "Default: all that the key type can do. Changing it patches the key; needs keys/update."),
    ),
    hardwareProtected: flag(
      "Keep the key in an HSM: premium vaults, Managed HSM. Changing it makes a new version. Default false.",
    ),
    exportable: flag(
      "Whether the key can be released; needs `releasePolicy`. Changing it makes a new version. Default false.",
    ),
    releasePolicy: patches(
      one(
        "KeyReleasePolicy",
        "Who may have the key released: `data` is the policy's JSON, as text or object. Changing it patches the key.",
      ),
    ),
    rotationPolicy: patches(
      one(
        "KeyRotation",
        "When the service makes new versions by itself, which are no drift. Changing it sets the policy (needs keys/setrotationpolicy); removing it sets the service's default.",
      ),
    ),
  },
  required: [],
  echoed: [...echoedInputs, "rotationPolicy"],
  outputs: {
    ...objectOutputs("key"),
    keyType: text("`RSA`, `EC`, `oct`, or one of them with `-HSM`."),
    curve: one("KeyCurve", "Of an elliptic key; undefined for others."),
    keySize: count("Bits of the RSA modulus or of the curve; undefined for symmetric keys."),
    keyOps: many("KeyOperation", "What the key may be used for."),
    hardwareProtected: flag("Whether the key is kept in an HSM."),
    thumbprint: text("RFC 7638 SHA-256 thumbprint of the current version's public key; undefined for symmetric keys."),
    publicKeyPem: text("SubjectPublicKeyInfo in PEM; undefined for symmetric keys."),
    publicKeyJwk: textMap(
      "With the names and widths of RFC 7518, as other JOSE tools write it; undefined for symmetric keys.",
    ),
    publicKeyOpenSsh: text(
      "One line for `authorized_keys`; undefined for symmetric keys and for P-256K, which OpenSSH does not know.",
    ),
  },
  given: [...givenOutputs, "keyType", "keyOps", "hardwareProtected"],
};

const CURVES = ["P-256", "P-384", "P-521", "P-256K"] as const;
const OPERATIONS = [
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "wrapKey",
  "unwrapKey",
  "import",
  "export",
  "deriveKey",
] as const;

export const keyTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  KeyOperation: listed("What a key can be used for.", OPERATIONS),
  KeyCurve: listed("The curve of an elliptic-curve key.", CURVES),
  KeyType: listed("What a vault can make.", ["RSA", "EC", "RSA-HSM", "EC-HSM", "oct-HSM"]),
  KeyImport: {
    type: "object",
    description:
      "Private key material in one form: give one of `jwk`, `pem`, `pfx`, `byok`, `file` and `env`. `file` and `env` are read inside the provider and never pass through the engine; the kind (JWK, PEM with PKCS#1, PKCS#8, SEC1, encrypted PKCS#8 or OpenSSH's format, PFX, `.byok`) is told by the content. Only the thumbprint goes into state.",
    properties: {
      jwk: secret(anything("A private JSON Web Key, as text or object.")),
      pem: secret(text("A private key in PEM.")),
      pfx: secret(text("Base64 of the PFX.")),
      byok: secret(text("A transfer blob made with a vault's key exchange key.")),
      file: text("Path of a file, relative to the project."),
      env: text("Name of an environment variable."),
      passphrase: secret(text("Of encrypted material.")),
      passphraseFrom: one("TextSource", "In place of `passphrase`: where the provider reads it."),
      keyType: text("Of a transfer blob, which does not say what is in it: `RSA-HSM` (the default) or `EC-HSM`."),
      curve: one("KeyCurve", "Of a transfer blob with an `EC-HSM` key."),
      wrapWith: text(
        "Id of a key exchange key of the same vault, with which the material is wrapped on its way: an `RSA-HSM` key with the operation `import`. It then crosses the wire as a transfer blob that the vault's HSM alone can open, and the key is kept there, as with `hardwareProtected`. Needs keys/get. Changing it does nothing.",
      ),
    },
  },
  KeyGenerate: {
    type: "object",
    description: "A key that the vault makes. Changing its type, size or curve makes a new version.",
    properties: {
      keyType: one(
        "KeyType",
        "`oct-HSM` in a Managed HSM and, in preview, in vaults of the premium tier; see `keyvault:apiVersion`.",
      ),
      keySize: count("Of RSA 2048 (the default), 3072 or 4096 bits; of `oct-HSM` 128, 192 or 256."),
      curve: one("KeyCurve", "Of elliptic curves. Default P-256."),
      keepers: textMap("Changing any of these makes a new version."),
    },
    required: ["keyType"],
  },
  KeyReleasePolicy: {
    type: "object",
    description: "Who may have an exportable key released.",
    properties: {
      data: anything("The policy's JSON, as text or object."),
      contentType: text("Default: the service's."),
      immutable: flag("It can never be changed again. Default false."),
    },
    required: ["data"],
  },
  KeyRotation: {
    type: "object",
    description: "Durations are ISO 8601 in years, months or days, such as `P90D`.",
    properties: {
      rotateAfter: text("Rotate this long after a version was made; at least 7 days."),
      rotateBeforeExpiry: text("Rotate this long before a version expires; at least 7 days, and needs `expireAfter`."),
      expireAfter: text("New versions expire after this long; at least 28 days."),
      notifyBeforeExpiry: text("Default P30D, which the service adds by itself."),
    },
  },
};
