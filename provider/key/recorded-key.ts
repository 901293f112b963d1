import { z } from "zod";
import type { Properties } from "../engine/lifecycle.js";
import { withoutUndefined } from "../engine/normal-form.js";
import { membersBeyond, readState } from "../engine/recorded-state.js";
import type { DeletableObject } from "../object/delete-object.js";
import { deletableObject, optionalMember, recordedFacts, recordedObject } from "../object/recorded-object.js";
import type { KeyInputs, KeyOutputs } from "./key-inputs.js";

const text = optionalMember(z.string());
const texts = optionalMember(z.array(z.string()));
const releasePolicy = optionalMember(
  z.looseObject({ data: z.string(), contentType: text, immutable: optionalMember(z.literal(true)) }),
);

const inputs = {
  ...recordedObject,
  thumbprint: text,
  generate: optionalMember(
    z.looseObject({
      keyType: z.string(),
      keySize: optionalMember(z.coerce.number()),
      curve: text,
      keepers: optionalMember(z.record(z.string(), z.string())),
    }),
  ),
  keyOps: texts,
  hardwareProtected: optionalMember(z.literal(true)),
  exportable: optionalMember(z.literal(true)),
  releasePolicy,
  rotationPolicy: optionalMember(
    z.looseObject({ rotateAfter: text, rotateBeforeExpiry: text, expireAfter: text, notifyBeforeExpiry: text }),
  ),
};

const publicKey = z.looseObject({ curve: text, n: text, e: text, x: text, y: text, keyOps: texts });

const facts = {
  ...recordedFacts,
  version: z.string(),
  keyType: z.string(),
  publicKey,
  publicThumbprint: text,
  rotated: optionalMember(z.literal(true)),
  expectedThumbprint: text,
  givenKeyOps: texts,
  uncertainPolicy: optionalMember(z.literal(true)),
  setOutside: texts,
  found: optionalMember(
    z.looseObject({
      enabled: optionalMember(z.literal(false)),
      notBefore: text,
      expiresOn: text,
      keyOps: texts,
      tags: recordedObject.tags,
      releasePolicy,
    }),
  ),
};

const inputsSchema = z.looseObject(inputs);
const outputsSchema = z.looseObject({ ...inputs, ...facts });

/** A key's inputs as `check` hands them on. */
export function readKeyInputs(properties: Properties): KeyInputs {
  return withoutUndefined(readState(inputsSchema, properties, told(properties))) as KeyInputs;
}

/** A key's outputs as state holds them, whichever release has written them. */
export function readKeyOutputs(properties: Properties): KeyOutputs {
  return withoutUndefined(readState(outputsSchema, properties, told(properties))) as KeyOutputs;
}

function told({ name, vaultUrl }: Properties) {
  const where = typeof vaultUrl === "string" ? ` in ${vaultUrl}` : "";
  return {
    resource: `the Key ${typeof name === "string" ? `"${name}"` : "without a name"}${where}`,
    remedy:
      "the key in the vault is untouched: mend the member with `pulumi stack export` and `import`, or remove the resource from state with `pulumi state delete` and declare it with adopt: true",
  };
}

/** What a later version has recorded of a key beside all that this one knows. */
export function laterMembers(recorded: KeyOutputs): Properties {
  return membersBeyond(outputsSchema, recorded);
}

/** As much of the outputs as a deletion needs: the rest may be unreadable. */
export function readDeletableKey(properties: Properties): DeletableObject {
  return withoutUndefined(readState(deletableObject, properties, told(properties))) as DeletableObject;
}
