import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { pickAttributes, targetAttributes, undeclaredAttributes } from "../object/attributes.js";
import { ownerInThisRun } from "../object/declared-objects.js";
import { makeNextVersion } from "../object/make-version.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { patchKnown } from "../object/patch-version.js";
import { disableSuperseded, disablesPrevious } from "../object/previous-versions.js";
import { putDueMark } from "../object/put-mark.js";
import { plans, propertiesTo, type UpdatePlan } from "../object/update-plan.js";
import type { VaultObject } from "../object/vault-object.js";
import { WrittenMark } from "../object/written-mark.js";
import { vaultClient } from "../vault/vault-access.js";
import { cannotBeRemoved } from "./cannot-be-removed.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";
import {
  isGivenKeyOps,
  isPublicThumbprint,
  isSameGenerate,
  type KeyAttributes,
  type KeyFacts,
  type KeyInputs,
  type KeyOutputs,
} from "./key-inputs.js";
import { canMakeSameVersion, KEY, keyState, writeRotationPolicy } from "./key-kind.js";
import { keyObject } from "./key-object.js";
import { planKeyUpdate, policyMoment } from "./plan-key-update.js";
import { laterMembers, readKeyInputs, readKeyOutputs } from "./recorded-key.js";

/** One update: what state records, what the program says, and the key in the vault. */
interface Update {
  recorded: KeyOutputs;
  inputs: KeyInputs;
  object: VaultObject<KeyBundle>;
  /** Whose mark the writes put on it. */
  mark: WrittenMark;
  plan: UpdatePlan;
  /** What the program's version takes the place of: the version that is recorded, and any that is there. */
  superseded: Set<string>;
}

/**
 * Brings a key from its recorded state to the program's: a look and one request for a new version, one for changed
 * attributes, one for a changed rotation policy, and none where only behaviour options changed.
 */
export async function updateKey(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const recorded = readKeyOutputs(olds);
  const inputs = readKeyInputs(news);
  const client = await vaultClient(inputs);
  const object = keyObject(client, inputs, new OperationDeadline(inputs.timeouts?.update));
  const own = KEY.owner(inputs, ownerInThisRun("key", inputs, recorded.ownerToken));
  const mark = new WrittenMark(object, recorded, inputs, own);
  const plan = planKeyUpdate(recorded, inputs, canMakeSameVersion(inputs));
  const superseded = new Set([...(recorded.superseded ?? []), recorded.version]);
  const update: Update = { recorded, inputs, object, mark, plan, superseded };

  let bundle: KeyBundle | undefined;
  let isPolicyUncertain = recorded.uncertainPolicy === true;
  try {
    bundle = await writeKey(update);
    bundle = (await putDueMark(KEY, object, inputs, { recorded, mark, written: bundle })) ?? bundle;
    await updateRotationPolicy(update, () => {
      isPolicyUncertain = true;
    });
  } catch (error) {
    const isPolicyAll = bundle === undefined && isPolicyUncertain && recorded.uncertainPolicy !== true;
    if (!bundle && !isPolicyAll) throw error;
    const { rotationPolicy: _unwritten, ...reached } = inputs;
    const policy = {
      ...pickDefined(recorded, ["rotationPolicy"]),
      ...(isPolicyUncertain ? { uncertainPolicy: true } : {}),
    };
    const left = disablesPrevious(inputs)
      ? { superseded: [...superseded].filter((each) => each !== (bundle ?? recorded).version) }
      : {};
    const outs = bundle
      ? { ...outputsOf(update, bundle, reached), ...mark.notTakenBack(bundle.tags) }
      : unwrittenOutputs({ ...update, inputs: reached });
    throw new PartialFailure(id, { ...laterMembers(recorded), ...outs, ...policy, ...left }, error);
  }
  const outs = {
    ...laterMembers(recorded),
    ...(bundle ? outputsOf(update, bundle, inputs) : unwrittenOutputs(update)),
  };
  if (!disablesPrevious(inputs)) return { outs };
  const isJustMade = bundle !== undefined && bundle.version !== recorded.version;
  return { outs: await disableSuperseded(object, { id, outs, superseded, isJustMade }) };
}

/** The request that the plan needs; undefined where it needs none. */
async function writeKey(update: Update): Promise<KeyBundle | undefined> {
  const { recorded, inputs, object, mark, plan } = update;
  // New key material is made only for a changed source. The same material makes a version that lacks what has to go.
  const refused = propertiesTo(plan, "refuse");
  if (refused.length > 0) throw cannotBeRemoved(inputs, refused);
  if (plans(plan, "newVersion", "versionWithout")) {
    return makeNextVersion(KEY, object, inputs, {
      known: mayBeOurs(update) ? undefined : recorded.version,
      mark,
      attributesOver: (bundle) => {
        if (bundle !== undefined) update.superseded.add(bundle.version);
        return targetAttributes(
          KEY_ATTRIBUTES,
          inputs,
          bundle === undefined ? recorded.found : KEY_ATTRIBUTES.observed(bundle, inputs),
        );
      },
    });
  }
  const patched = propertiesTo(plan, "patch", "policyMoment");
  const changed = KEY_ATTRIBUTES.names.filter((attribute) => patched.includes(attribute));
  if (changed.length === 0) return showsAnotherKey(update) ? ((await object.current()) ?? undefined) : undefined;
  const target = patchTarget(update);
  const isToMark = mark.owner !== undefined && recorded.ownerToken === undefined && mayMark(update);
  if (isToMark && !changed.includes("tags")) changed.push("tags");
  const isMarked = isToMark || recorded.ownerToken !== undefined;
  return patchKnown(KEY, object, recorded, { changed, target, mark, isMarked });
}

/**
 * Whether the version that a refresh has found may be the one that the program's change takes: a run that was cut off
 * has made it. Where the version of the recorded source was made it is not, even with our mark: a rotation copies that.
 */
function mayBeOurs({ recorded, inputs }: Update): boolean {
  const { foreignVersion, awaitsVersion } = recorded;
  if (foreignVersion !== true) return false;
  const { generate, thumbprint } = inputs;
  // Of material that no vault shows, a mark alone would let another key pass for it.
  if (thumbprint !== undefined && !isPublicThumbprint(thumbprint)) return false;
  if (awaitsVersion) return true;
  return generate === undefined || recorded.generate === undefined || !isSameGenerate(recorded.generate, generate);
}

/** Where the program takes a key that somebody else put there, state still has the public key of the one before. */
function showsAnotherKey({ recorded, inputs }: Update): boolean {
  return recorded.expectedThumbprint !== undefined || (recorded.foreignVersion === true && !inputs.thumbprint);
}

function patchTarget({ recorded, inputs }: Update): KeyAttributes {
  const target = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const expiresOn = target.expiresOn ?? policyMoment(recorded, inputs);
  const keyOps = target.keyOps ?? recorded.givenKeyOps;
  return { ...target, ...(expiresOn === undefined ? {} : { expiresOn }), ...(keyOps === undefined ? {} : { keyOps }) };
}

/** A PATCH replaces all tags: only where the program says what they are, or there are none of others, may it add our mark. */
function mayMark({ recorded, inputs }: Update): boolean {
  if (inputs.tags === undefined && leavesRestToVault(inputs)) return false;
  return Object.keys(inputs.tags ?? recorded.tags ?? {}).length < 15;
}

async function updateRotationPolicy({ inputs, object, plan }: Update, onUncertain: () => void): Promise<void> {
  if (plans(plan, "policy")) await writeRotationPolicy(object, inputs, onUncertain);
}

function outputsOf({ recorded, inputs, mark }: Update, bundle: KeyBundle, reached: KeyInputs): Properties {
  const isSameVersion = bundle.version === recorded.version;
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const found = leavesRestToVault(inputs)
    ? undeclaredAttributes(KEY_ATTRIBUTES, KEY_ATTRIBUTES.observed(bundle), declared)
    : undefined;
  return keyState(reached, bundle, {
    ...(found ? { found } : {}),
    ...mark.marks(bundle.tags),
    ...(isSameVersion ? pickDefined(recorded, ["rotated", "givenKeyOps"]) : {}),
  });
}

const FACTS = [
  "version",
  "keyType",
  "publicKey",
  "publicThumbprint",
  "createdOn",
  "updatedOn",
  "recoveryLevel",
  "recoverableDays",
  "ownerToken",
  "otherMark",
  "givenKeyOps",
  "rotated",
] as const satisfies readonly (keyof KeyFacts)[];

/** Nothing was written: the vault is as it was recorded. */
function unwrittenOutputs({ recorded, inputs }: Update): Properties {
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const { keyOps, ...others } = { ...recorded.found, ...pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, recorded) };
  const isGiven = keyOps === undefined || isGivenKeyOps(recorded.keyType, keyOps);
  const before = isGiven ? others : { ...others, keyOps };
  const found = leavesRestToVault(inputs) ? undeclaredAttributes(KEY_ATTRIBUTES, before, declared) : undefined;
  return { ...pickDefined(recorded, FACTS), ...inputs, ...(found ? { found } : {}) };
}
