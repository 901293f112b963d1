import { KEY_SETTINGS } from "../../provider/key/key-inputs.js";
import { keySchema } from "./key-schema.js";
import { objectInputs } from "./object-schema.js";
import {
  type EnumTypeSpec,
  flag,
  type InputSpec,
  type ObjectTypeSpec,
  one,
  type PropertySpec,
  type ResourceDescription,
  replaces,
  secret,
  sendsNothing,
  text,
  textMap,
  texts,
} from "./package-spec.js";

/** What may be said for all keys of a set, and otherwise for one, as a Key says it. */
function settings(): Record<string, InputSpec> {
  return Object.fromEntries(
    KEY_SETTINGS.flatMap((name) => {
      const spec = keySchema.inputs[name];
      return spec === undefined ? [] : [[name, spec]];
    }),
  );
}

export const keySetSchema: ResourceDescription = {
  description:
    "A fleet of keys in one resource: imported from a folder or a JWK set, generated, restored or adopted.\n\nEach key has the whole life of a Key, exactly once and with drift by property, and costs a line of state where a Key costs a resource: the engine writes all of state once for each resource. One that fails does not keep the others; the next `up` goes on with it.\n\nAt least one of `import` and `keys`.",
  inputs: {
    vaultUrl: replaces(
      text(
        "URL of the vault or Managed HSM, or `embedded:<file>` for development. Changing it makes another set there, and then does `onDelete` to the keys of this one. Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.",
      ),
    ),
    import: secret(
      one("KeySetImport", "Material of many keys. A changed file makes a new version of its key. Needs keys/import."),
    ),
    keys: {
      type: "object",
      additionalProperties: { $ref: "#/types/keyvault:index:KeySetEntry" },
      description: "Keys with a source of their own, and what differs for keys of `import`.",
    },
    generate: one("KeyGenerate", "Let the vault make every key that has no source of its own."),
    adopt: flag(
      "Take over keys that exist: those without a source as they are, imported ones where they have the material.",
    ),
    ...settings(),
    removed: sendsNothing(
      one(
        "OnDelete",
        "What happens to a key that leaves the set while the set stays: as `onDelete`, which says what happens to all of them when the set itself goes. Default `retain`: a file that is missing deletes no key. A key that another resource of the program declares stays, unless that resource waits for the set: leave `retain` while keys move to such a one.",
      ),
    ),
    publicKeys: flag(
      "Keep the public keys in state, for `publicKeyPem` and `publicKeyOpenSsh`. Default false: some 400 bytes a key of RSA 2048.",
    ),
    ...pick(objectInputs, ["credential", "timeouts"]),
  },
  required: [],
  echoed: ["vaultUrl"],
  outputs: {
    names: texts("The names of all keys, sorted."),
    versionIds: textMap("The versioned URLs by name."),
    thumbprints: textMap("RFC 7638 SHA-256 thumbprints by name, of all keys that have a public half."),
  },
  given: ["vaultUrl", "names", "versionIds", "thumbprints"],
};

const entry: Record<string, PropertySpec> = {
  ...Object.fromEntries(
    Object.entries({ ...settings(), ...pick(keySchema.inputs, ["import", "generate", "restore", "adopt"]) }).map(
      ([name, { effect, willReplaceOnChanges, ...spec }]) => [name, spec],
    ),
  ),
};

export const keySetTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  KeySetImport: {
    type: "object",
    description:
      "Private key material of many keys: give `folder` or `jwks`. All of it is read inside the provider, and never passes through the engine.",
    properties: {
      folder: text(
        "A folder with a file for each key, in any form that `import: { file }` of a Key takes. The name of a key is that of its file without the ending. Relative to the project.",
      ),
      match: text("Which files, such as `*.pem`. Default: all whose ending is that of key material."),
      jwks: text('A file with a JWK set (RFC 7517), `{ "keys": [...] }`. The name of a key is its `kid`.'),
      passphrase: secret(text("Of all the files that have one.")),
      passphraseFrom: one("TextSource", "In place of `passphrase`: where the provider reads it."),
      wrapWith: text(
        "Id of a key exchange key of the same vault, with which the material is wrapped on its way, as for a Key.",
      ),
    },
  },
  KeySetEntry: {
    type: "object",
    description:
      "One key of a set: a source of its own where the set has none for it, and what differs from the set's settings.",
    properties: entry,
  },
};

function pick<S>(from: Record<string, S>, names: readonly string[]): Record<string, S> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
