import { echoedInputs, givenOutputs, listed, objectInputs, objectOutputs } from "./object-schema.js";
import {
  count,
  type EnumTypeSpec,
  flag,
  type ObjectTypeSpec,
  one,
  patches,
  type ResourceDescription,
  secret,
  sendsNothing,
  text,
  textMap,
} from "./package-spec.js";

export const secretSchema: ResourceDescription = {
  description:
    "A secret in Azure Key Vault. Its value is never in state: drift of it is told by a salted digest.\n\nExactly one of `value` (or `valueFrom`), `generate`, `restore` and `adopt`; `adopt` may go with `value`.",
  inputs: {
    ...objectInputs,
    value: secret(
      text(
        "At most 25,600 bytes; may be empty. Only a salted digest of it goes into state. Changing it makes a new version. Needs secrets/set.",
      ),
    ),
    valueFrom: one(
      "TextSource",
      "In place of `value`: where the provider reads it. Of a file, its final line break is part of the value.",
    ),
    generate: one(
      "SecretGenerate",
      "A random value that is made in the provider and sent to the vault, and that neither the program nor state ever has. Whoever needs it asks the vault. Needs secrets/set.",
    ),
    restore: one(
      "Restore",
      "Restore from a backup: all versions, under the same name, in the geography and subscription where it was taken. Changing it later does nothing. Needs secrets/restore.",
    ),
    adopt: flag(
      "Manage a secret that exists, by `name`. What the program leaves out stays as it is. Needs secrets/get.",
    ),
    contentType: patches(
      text("At most 255 characters. Changing it patches the secret; removing it makes a new version. Default: none."),
    ),
    valueDrift: sendsNothing(
      flag(
        "Whether a refresh reads the value to compare it (the default; needs secrets/get). `false` reads the list of versions alone (secrets/list): a version made outside is drift, and its value is not compared. Changing it sends nothing.",
      ),
    ),
  },
  required: [],
  echoed: [...echoedInputs, "contentType"],
  outputs: objectOutputs("secret"),
  given: [...givenOutputs],
};

export const secretTypes: Record<string, ObjectTypeSpec | EnumTypeSpec> = {
  SecretEncoding: listed("How random bytes are written.", ["base64", "base64url", "hex"]),
  SecretGenerate: {
    type: "object",
    description:
      "A value that the provider makes, of at least 64 bits: of characters (`length`), or of bytes (`bytes` with `encoding`). Changing any of it makes a new value, and nothing else does.",
    properties: {
      length: count("How many characters."),
      characters: text("What they are taken from, each as likely as every other. Default: letters and digits."),
      bytes: count("How many random bytes."),
      encoding: one("SecretEncoding", "How random bytes are written."),
      keepers: textMap("Changing any of these makes a new value."),
    },
  },
};
