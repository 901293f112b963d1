import { attributesBefore, differingAttributes, pickAttributes } from "../object/attributes.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { type PlannedAction, settledPlan, type UpdatePlan } from "../object/update-plan.js";
import { isSameRecipe } from "./generated-value.js";
import { SECRET_ATTRIBUTES } from "./secret-attributes.js";
import type { SecretAttributes, SecretInputs, SecretOutputs } from "./secret-inputs.js";

/**
 * What an update of a secret does about each property, from what state records (as the last refresh found it) to what
 * the program says. A version takes the program's value, which has to be at hand.
 */
export function planSecretUpdate(recorded: SecretOutputs, inputs: SecretInputs): UpdatePlan {
  const plan = new Map<string, PlannedAction>();
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const current = attributesBefore<SecretAttributes>(SECRET_ATTRIBUTES, recorded, inputs);
  const reasons = reasonsForValue(recorded, inputs);
  for (const attribute of differingAttributes(SECRET_ATTRIBUTES, current, declared)) {
    if (declared[attribute] === undefined && leavesRestToVault(inputs)) plan.set(attribute, "leave");
    else if (declared[attribute] !== undefined || !SECRET_ATTRIBUTES.clearedByVersion.includes(attribute)) {
      plan.set(attribute, "patch");
    } else if (reasons.length > 0) plan.set(attribute, "withVersion");
    else plan.set(attribute, canRepeatValue(recorded, inputs) ? "versionWithout" : "refuse");
  }
  for (const reason of reasons) plan.set(reason, "newVersion");
  if (reasons.length === 0 && recorded.foreignVersion) plan.set("version", "take");
  const saysNoValue = inputs.valueDigest === undefined && inputs.generate === undefined;
  if (saysNoValue && recorded.valueDigest !== undefined) plan.set("valueDigest", "take");
  return settledPlan(plan);
}

/** A generated value is in the vault alone, which shows that of no disabled version. */
function canRepeatValue({ enabled }: SecretOutputs, { generate }: SecretInputs): boolean {
  return generate === undefined || enabled !== false;
}

/**
 * What makes the program's source give another value than the recorded one, as far as that is known. A generated value
 * that somebody replaced is generated anew: whoever set it knows it.
 */
function reasonsForValue(recorded: SecretOutputs, { valueDigest, generate }: SecretInputs): string[] {
  const { expectedValueDigest: expected, uncomparedValue } = recorded;
  const uncompared = uncomparedValue && (valueDigest ?? generate) !== undefined ? ["version"] : [];
  if (generate === undefined) {
    const isOther = valueDigest !== undefined && valueDigest !== recorded.valueDigest;
    return [...uncompared, ...(isOther ? ["valueDigest"] : [])];
  }
  const isSame = recorded.generate !== undefined && isSameRecipe(recorded.generate, generate);
  const isSwapped = expected !== undefined && expected !== recorded.valueDigest;
  return [...uncompared, ...(isSame ? [] : ["generate"]), ...(isSwapped ? ["valueDigest"] : [])];
}
