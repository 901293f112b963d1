import { z } from "zod";
import type { Properties } from "../engine/lifecycle.js";
import { withoutUndefined } from "../engine/normal-form.js";
import { membersBeyond, readState, type StateOfResource } from "../engine/recorded-state.js";
import { ON_DELETE } from "../object/object-inputs.js";
import { optionalMember, recordedObject } from "../object/recorded-object.js";
import { SET_MEMBERS } from "./key-set-inputs.js";

/** What has to be there of a set. Its settings are read with each key, which they belong to. */
const inputs = z.looseObject({
  vaultUrl: z.string(),
  credential: recordedObject.credential,
  timeouts: recordedObject.timeouts,
  removed: optionalMember(z.enum(ON_DELETE)),
  publicKeys: optionalMember(z.literal(true)),
  keys: z.record(z.string(), z.looseObject({})),
});

const outputs = inputs.omit({ keys: true }).extend({
  records: z.string(),
  lookedOn: optionalMember(z.string()),
});

export type CheckedKeySet = z.output<typeof inputs>;
export type RecordedKeySet = z.output<typeof outputs>;

/** A set's inputs as `check` hands them on. */
export function readKeySetInputs(properties: Properties): CheckedKeySet {
  return withoutUndefined(readState(inputs, properties, told(properties)));
}

/** A set's outputs as state holds them. */
export function readKeySetOutputs(properties: Properties): RecordedKeySet {
  return withoutUndefined(readState(outputs, properties, told(properties)));
}

const SETTINGS: ReadonlySet<string> = new Set(SET_MEMBERS);

/** What a later version has recorded of a set beside all that this one knows. */
export function laterMembers(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(membersBeyond(outputs, properties)).filter(([name]) => !SETTINGS.has(name)));
}

function told({ vaultUrl }: Properties): StateOfResource {
  return {
    resource: `the KeySet in ${typeof vaultUrl === "string" ? vaultUrl : "an unknown vault"}`,
    remedy:
      "the keys in the vault are untouched: mend the member with `pulumi stack export` and `import`, or remove the resource from state with `pulumi state delete` and declare it with adopt: true",
  };
}
