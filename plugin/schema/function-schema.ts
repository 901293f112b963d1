import { listed } from "./object-schema.js";
import {
  anything,
  count,
  type EnumTypeSpec,
  type FunctionDescription,
  flag,
  many,
  type ObjectTypeSpec,
  one,
  type PropertySpec,
  secret,
  text,
  textMap,
} from "./package-spec.js";

const credential = text(
  "Who asks: a name as `keyvault:credential` takes it, or that of an entry in `keyvault:credentials`. Default: as the stack says.",
);
const vaultUrl = text("Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.");

function object(kind: "key" | "secret"): Record<string, PropertySpec> {
  return {
    vaultUrl,
    name: text(`The ${kind}'s name.`),
    id: text(`In place of vault and name: the \`id\` of a ${kind} resource.`),
    credential,
  };
}

const version = text("32 hex digits. Default: that of the id, else the current one.");

const facts: Record<string, PropertySpec> = {
  id: text("The versionless URL."),
  vaultUrl: text("The vault that was asked."),
  name: text("As the vault writes it."),
  version: text("32 hex digits."),
  versionId: text("The versioned URL."),
  enabled: flag("Whether it can be used."),
  notBefore: text("Not to be used before; undefined where nothing is set."),
  expiresOn: text("Not to be used after; undefined where it never expires."),
  createdOn: text("When this version was made."),
  updatedOn: text("When this version was last changed."),
  recoveryLevel: text("Such as `Recoverable+Purgeable`."),
  recoverableDays: count("Days for which it can be recovered after a deletion."),
  tags: textMap("Without the tag that says which stack owns it."),
  managed: flag("True for what belongs to a certificate."),
};
const givenFacts = ["id", "vaultUrl", "name", "version", "versionId", "enabled", "tags", "managed"];

const keyFacts: Record<string, PropertySpec> = {
  ...facts,
  keyType: text("`RSA`, `EC`, `oct`, or one of them with `-HSM`."),
  keySize: count("Bits of the RSA modulus or of the curve; undefined for symmetric keys."),
  curve: text("`P-256`, `P-384`, `P-521` or `P-256K`."),
  keyOps: { type: "array", items: { type: "string" }, description: "What the key may be used for." },
  hardwareProtected: flag("Whether the key is kept in an HSM."),
  exportable: flag("Whether it can be released."),
  releasePolicy: anything("`data` is base64url, as the service answers it."),
  thumbprint: text("RFC 7638 SHA-256 thumbprint; undefined for symmetric keys."),
  publicKeyPem: text("SubjectPublicKeyInfo; undefined for symmetric keys."),
  publicKeyJwk: textMap("With the names and widths of RFC 7518; undefined for symmetric keys."),
  publicKeyOpenSsh: text("Undefined for symmetric keys and P-256K."),
};
const givenKeyFacts = [...givenFacts, "keyType", "keyOps", "hardwareProtected"];

const secretFacts: Record<string, PropertySpec> = {
  ...facts,
  contentType: text("Undefined where there is none."),
  keyId: text("The URL of the key of the certificate that backs it."),
};

const usedKey: Record<string, PropertySpec> = { ...object("key"), version };

function useOf(
  what: string,
  needs: string,
  inputs: Record<string, PropertySpec>,
  required: string[],
  outputs: Record<string, PropertySpec>,
  given = Object.keys(outputs),
): FunctionDescription {
  return {
    description: `${what} The algorithm is checked before the vault is asked. Needs ${needs}.`,
    inputs: { ...usedKey, algorithm: text("Such as `RSA-OAEP-256`, `ES256` or `A256KW`."), ...inputs },
    required: ["algorithm", ...required],
    outputs,
    given,
  };
}

const usedVersion = text("The version that was used: keep it with what it made.");
const additionalData = text("Of AES-GCM: authenticated with the ciphertext, and not in it. UTF-8.");

function listOf(kind: "key" | "secret", what: string, item: string): FunctionDescription {
  return {
    description: `${what} Needs ${kind}s/list.`,
    inputs: { vaultUrl, credential },
    required: [],
    outputs: { [`${kind}s`]: many(item, "In the vault's order.") },
    given: [`${kind}s`],
  };
}

export const functionSchemas: Record<string, FunctionDescription> = {
  getKey: {
    description:
      "Reads the public half and the attributes of a key's current version: one request, in a preview too. Disabled and expired keys are read like any other. Needs keys/get.",
    inputs: object("key"),
    required: [],
    outputs: keyFacts,
    given: givenKeyFacts,
  },
  getKeyVersion: {
    description: "Reads one version of a key, current or not: one request, in a preview too. Needs keys/get.",
    inputs: { ...object("key"), version: text("32 hex digits. Default: that of the id.") },
    required: [],
    outputs: keyFacts,
    given: givenKeyFacts,
  },
  getSecret: {
    description:
      "Reads a secret, by default its current version: one request, in a preview too. Its value is secret, and is in no state and no log unless the program puts it there. Needs secrets/get.",
    inputs: { ...object("secret"), version },
    required: [],
    outputs: { ...secretFacts, value: secret(text("Its value.")) },
    given: [...givenFacts, "value"],
  },
  getSecretMetadata: {
    description:
      "Reads all of a secret but its value, by default of its current version, of a disabled one too: one request for each 25 versions, in a preview too. Needs secrets/list alone, as Key Vault Reader has it.",
    inputs: { ...object("secret"), version },
    required: [],
    outputs: secretFacts,
    given: givenFacts,
  },
  encrypt: useOf(
    "Encrypts with a key.",
    "keys/encrypt",
    {
      plaintext: secret(text("Text, taken as UTF-8.")),
      plaintextBase64url: secret(text("In place of `plaintext`: bytes as base64url.")),
      iv: text("Of AES-CBC, 16 bytes as base64url. Default: random."),
      additionalData,
    },
    [],
    {
      versionId: text("The versioned URL of the key that decrypts it."),
      ciphertext: text("Base64url."),
      iv: text("Of AES, base64url: decrypt needs it."),
      tag: text("Of AES-GCM, base64url: decrypt needs it."),
    },
    ["versionId", "ciphertext"],
  ),
  decrypt: useOf(
    "Decrypts what `encrypt` gave.",
    "keys/decrypt",
    {
      ciphertext: text("Base64url, as encrypt gave it."),
      iv: text("Of AES, base64url."),
      tag: text("Of AES-GCM, base64url."),
      additionalData,
      encoding: one(
        "PlaintextEncoding",
        "How the plaintext is written. Default `utf8`, which refuses bytes that are no UTF-8.",
      ),
    },
    ["ciphertext"],
    { versionId: usedVersion, plaintext: secret(text("As `encoding` says.")) },
  ),
  sign: useOf(
    "Signs data, whose digest is made in the provider, or a digest.",
    "keys/sign",
    {
      data: text("Text, taken as UTF-8."),
      dataBase64url: text("In place of `data`: bytes as base64url."),
      digestBase64url: text("In place of `data`: the digest of something larger, as base64url."),
    },
    [],
    {
      versionId: usedVersion,
      signature: text("Base64url. Of elliptic curves r and s one after the other, as JOSE has it, and not DER."),
    },
  ),
  verify: useOf(
    "Verifies a signature.",
    "keys/verify",
    {
      data: text("Text, taken as UTF-8."),
      dataBase64url: text("In place of `data`: bytes as base64url."),
      digestBase64url: text("In place of `data`: the digest of something larger, as base64url."),
      signature: text("Base64url, as sign gave it."),
    },
    ["signature"],
    { valid: flag("Whether the signature is that of the data by this key.") },
  ),
  wrapKey: useOf(
    "Wraps another key.",
    "keys/wrapKey",
    { keyToWrapBase64url: secret(text("Its bytes as base64url.")) },
    ["keyToWrapBase64url"],
    { versionId: usedVersion, wrappedKey: text("Base64url.") },
  ),
  unwrapKey: useOf(
    "Unwraps a wrapped key.",
    "keys/unwrapKey",
    { wrappedKey: text("Base64url, as wrapKey gave it.") },
    ["wrappedKey"],
    { versionId: usedVersion, unwrappedKey: secret(text("Base64url.")) },
  ),
  listKeys: listOf("key", "Lists the keys of a vault by their current versions.", "ListedKey"),
  listKeyVersions: {
    description:
      "Lists the versions of a key, in the order of their random ids: sort by `createdOn`. A name that does not exist has none. Needs keys/list.",
    inputs: { vaultUrl, name: text("The key's name."), credential },
    required: ["name"],
    outputs: { versions: many("ListedKey", "In the vault's order.") },
    given: ["versions"],
  },
  listDeletedKeys: listOf("key", "Lists deleted keys that can still be recovered.", "ListedKey"),
  listSecrets: listOf(
    "secret",
    "Lists the secrets of a vault by their current versions, never their values.",
    "ListedSecret",
  ),
  listDeletedSecrets: listOf("secret", "Lists deleted secrets that can still be recovered.", "ListedSecret"),
};

const listedObject: Record<string, PropertySpec> = {
  name: text("Its name."),
  version: text("32 hex digits: in the list of versions."),
  enabled: flag("Whether it can be used."),
  notBefore: text("ISO 8601."),
  expiresOn: text("ISO 8601."),
  createdOn: text("ISO 8601."),
  updatedOn: text("ISO 8601."),
  deletedOn: text("Of a deleted one: ISO 8601."),
  scheduledPurgeDate: text("Of a deleted one: from this moment on it cannot be recovered. ISO 8601."),
  recoveryLevel: text("Such as `Recoverable+Purgeable`."),
  tags: textMap("Without the tag that says which stack owns it."),
  managed: flag("True for what belongs to a certificate."),
};

export const functionTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  PlaintextEncoding: listed("How bytes are written.", ["utf8", "base64url"]),
  ListedKey: {
    type: "object",
    description: "A key of a vault, as its list says it.",
    properties: listedObject,
    required: ["name", "enabled", "tags", "managed"],
  },
  ListedSecret: {
    type: "object",
    description: "A secret of a vault, as its list says it: without its value.",
    properties: { ...listedObject, contentType: text("Its content type.") },
    required: ["name", "enabled", "tags", "managed"],
  },
};
