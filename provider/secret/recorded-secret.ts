import { z } from "zod";
import type { Properties } from "../engine/lifecycle.js";
import { withoutUndefined } from "../engine/normal-form.js";
import { membersBeyond, readState } from "../engine/recorded-state.js";
import type { DeletableObject } from "../object/delete-object.js";
import { deletableObject, optionalMember, recordedFacts, recordedObject } from "../object/recorded-object.js";
import { type GenerateRecipe, isRecipe } from "./generated-value.js";
import type { SecretInputs, SecretOutputs } from "./secret-inputs.js";

const text = optionalMember(z.string());

/** A digest that became null, as with another secrets provider, is not there: the value is then set again. */
const inputs = {
  ...recordedObject,
  contentType: text,
  valueDigest: text,
  generate: optionalMember(z.custom<GenerateRecipe>(isRecipe)),
  valueDrift: optionalMember(z.literal(false)),
};
const inputsSchema = z.looseObject(inputs);
const outputsSchema = z.looseObject({
  ...inputs,
  ...recordedFacts,
  version: z.string(),
  expectedValueDigest: text,
  uncomparedValue: optionalMember(z.literal(true)),
  found: optionalMember(
    z.looseObject({
      enabled: optionalMember(z.literal(false)),
      notBefore: text,
      expiresOn: text,
      contentType: text,
      tags: recordedObject.tags,
    }),
  ),
});

/** A secret's inputs as `check` hands them on. */
export function readSecretInputs(properties: Properties): SecretInputs {
  return withoutUndefined(readState(inputsSchema, properties, told(properties))) as SecretInputs;
}

/** A secret's outputs as state holds them, whichever release has written them. */
export function readSecretOutputs(properties: Properties): SecretOutputs {
  return withoutUndefined(readState(outputsSchema, properties, told(properties))) as SecretOutputs;
}

/** What a later version has recorded of a secret beside all that this one knows. */
export function laterMembers(recorded: SecretOutputs): Properties {
  return membersBeyond(outputsSchema, recorded);
}

/** As much of the outputs as a deletion needs: the rest may be unreadable. */
export function readDeletableSecret(properties: Properties): DeletableObject {
  return withoutUndefined(readState(deletableObject, properties, told(properties))) as DeletableObject;
}

function told({ name, vaultUrl }: Properties) {
  const where = typeof vaultUrl === "string" ? ` in ${vaultUrl}` : "";
  return {
    resource: `the Secret ${typeof name === "string" ? `"${name}"` : "without a name"}${where}`,
    remedy:
      "the secret in the vault is untouched: mend the member with `pulumi stack export` and `import`, or remove the resource from state with `pulumi state delete` and declare it with adopt: true",
  };
}
