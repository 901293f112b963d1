import { formatMoment } from "../engine/moment.js";
import { attributesBefore, differingAttributes, pickAttributes } from "../object/attributes.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { type PlannedAction, settledPlan, type UpdatePlan } from "../object/update-plan.js";
import { isExchangeKeyExpiry, KEY_ATTRIBUTES } from "./key-attributes.js";
import {
  DEFAULT_KEY_OPS,
  isPublicThumbprint,
  isSameGenerate,
  type KeyAttributes,
  type KeyInputs,
  type KeyOutputs,
  keyFamily,
} from "./key-inputs.js";
import { recordedThumbprint } from "./key-outputs.js";
import { policyExpiry, samePolicy, wireRotationPolicy } from "./rotation-policy.js";

/**
 * What an update of a key does about each property, from what state records (as the last refresh found it) to what
 * the program says.
 *
 * @param isMaterialAtHand whether a version can be made of the material that the program imports.
 */
export function planKeyUpdate(recorded: KeyOutputs, inputs: KeyInputs, isMaterialAtHand: boolean): UpdatePlan {
  const plan = new Map<string, PlannedAction>();
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const current = attributesOf(recorded, inputs);
  const reasons = reasonsForVersion(recorded, inputs);
  for (const attribute of differingAttributes(KEY_ATTRIBUTES, current, declared)) {
    if (isLeftAlone(attribute, recorded, inputs)) plan.set(attribute, "leave");
    else if (declared[attribute] !== undefined || !KEY_ATTRIBUTES.clearedByVersion.includes(attribute)) {
      plan.set(attribute, "patch");
    } else if (reasons.length > 0) plan.set(attribute, "withVersion");
    else if (attribute === "expiresOn" && policyMoment(recorded, inputs) !== undefined) {
      plan.set(attribute, "policyMoment");
    } else plan.set(attribute, inputs.thumbprint !== undefined && isMaterialAtHand ? "versionWithout" : "refuse");
  }
  for (const reason of reasons) plan.set(reason, "newVersion");
  if (reasons.length === 0) {
    if (recorded.foreignVersion) plan.set("version", "take");
    const isOther = recorded.thumbprint !== undefined || recorded.foreignVersion === true;
    if (inputs.thumbprint === undefined && isOther) plan.set("thumbprint", "take");
  }
  const isOtherPolicy = !samePolicy(wireRotationPolicy(recorded.rotationPolicy), inputs.rotationPolicy);
  if (isOtherPolicy || recorded.uncertainPolicy) {
    plan.set("rotationPolicy", "policy");
  }
  return settledPlan(plan);
}

/** What the vault's version has of what the program declares, as far as state knows it. */
function attributesOf(recorded: KeyOutputs, inputs: KeyInputs): KeyAttributes {
  const before = attributesBefore<KeyAttributes>(KEY_ATTRIBUTES, recorded, inputs);
  const keyOps = before.keyOps ?? (inputs.keyOps && recordedKeyOps(recorded));
  return keyOps ? { ...before, keyOps } : before;
}

/** What the vault's version can be used for, where state knows it. */
function recordedKeyOps({ foreignVersion, publicKey, keyType }: KeyOutputs): string[] | undefined {
  const keyOps = publicKey.keyOps ?? DEFAULT_KEY_OPS[keyFamily(keyType)];
  return foreignVersion || keyOps === undefined ? undefined : [...keyOps];
}

/** What makes the program's source another one than the vault's version was made from. */
function reasonsForVersion(recorded: KeyOutputs, inputs: KeyInputs): string[] {
  const { thumbprint, generate } = inputs;
  if (thumbprint === undefined && generate === undefined) return [];
  const reasons: string[] = (["hardwareProtected", "exportable"] as const).filter(
    (form) => recorded[form] !== inputs[form],
  );
  if (thumbprint === undefined) {
    if (recorded.foreignVersion) reasons.push("version");
    const { generate: before } = recorded;
    if (before !== undefined && generate !== undefined && !isSameGenerate(before, generate)) reasons.push("generate");
    return reasons;
  }
  if (thumbprint !== (recorded.thumbprint ?? recordedThumbprint(recorded))) reasons.push("thumbprint");
  // Where the vault's key cannot be compared, a version that somebody else made has to be taken for another key.
  if (recorded.foreignVersion && !isPublicThumbprint(thumbprint)) reasons.push("version");
  return reasons;
}

/** What the program leaves to the vault, and what the service sets by itself. */
function isLeftAlone(attribute: keyof KeyAttributes, recorded: KeyOutputs, inputs: KeyInputs): boolean {
  if (inputs[attribute] !== undefined) return false;
  if (leavesRestToVault(inputs)) return true;
  return attribute === "expiresOn" && isExchangeKeyExpiry(inputs, moments(recorded));
}

/** The expiry that the program's rotation policy gives the recorded version, where the program names none itself. */
export function policyMoment(recorded: KeyOutputs, { expiresOn, rotationPolicy }: KeyInputs): string | undefined {
  if (expiresOn !== undefined || rotationPolicy === undefined) return undefined;
  const moment = policyExpiry(rotationPolicy, recorded.createdOn);
  return moment === undefined ? undefined : formatMoment(new Date(moment));
}

function moments({ createdOn, expiresOn }: KeyOutputs): { createdOn?: Date; expiresOn?: Date } {
  return {
    ...(createdOn === undefined ? {} : { createdOn: new Date(createdOn) }),
    ...(expiresOn === undefined ? {} : { expiresOn: new Date(expiresOn) }),
  };
}
