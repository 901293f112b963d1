import { planKeyUpdate } from "../../provider/key/plan-key-update.js";
import { readKeyInputs, readKeyOutputs } from "../../provider/key/recorded-key.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import type { UpdatePlan } from "../../provider/object/update-plan.js";
import { planSecretUpdate } from "../../provider/secret/plan-secret-update.js";
import { readSecretInputs, readSecretOutputs } from "../../provider/secret/recorded-secret.js";
import { isMasked, isObject, type Properties } from "./property-values.js";

/** A resource as a preview tells of it: what the refresh found, what the program says, and what the engine compared. */
export interface Compared {
  /** `Key`, `Secret`, … */
  type: string;
  observed: { inputs: Properties; outputs: Properties };
  inputs: Properties;
  /** The properties that the engine found different: it has compared what its JSON masks. */
  differing: ReadonlySet<string>;
}

/** What a key or a secret has beside its inputs, where a preview does not tell it. */
const NO_FACTS = { vaultUrl: "", name: "", version: "", keyType: "", publicKey: {} };

/**
 * What the next update of a key or secret does, by the function that the update itself asks. Undefined for other
 * resources, and where the preview does not tell enough.
 */
export function plannedUpdate({ type, observed, inputs, differing }: Compared): UpdatePlan | undefined {
  if (type !== "Key" && type !== "Secret") return undefined;
  const { version, ...noted } = observed.inputs;
  const found = {
    ...NO_FACTS,
    ...noted,
    ...(version === undefined ? {} : { version, foreignVersion: true }),
    ...observed.outputs,
  };
  const before = unmasked(found, differing, "recorded");
  const after = unmasked({ vaultUrl: "", name: "", ...inputs }, differing, "wanted");
  try {
    // Where the material is not at hand, the update fails: the report says that it has to be.
    return type === "Key"
      ? planKeyUpdate(readKeyOutputs(before), readKeyInputs(after), true)
      : planSecretUpdate(readSecretOutputs(before), readSecretInputs(after));
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    return undefined;
  }
}

/** Stand-ins for what the engine masks, which differ where the engine says that the values do. */
function unmasked(properties: Properties, differing: ReadonlySet<string>, side: string): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      const standIn = differing.has(name) ? `${side} secret` : "secret";
      if (isMasked(value)) return [name, name === "tags" || name === "found" ? { secret: standIn } : standIn];
      const hasMasked = isObject(value) && Object.values(value).some(isMasked);
      return [name, hasMasked ? { ...value, "": standIn } : value];
    }),
  );
}
