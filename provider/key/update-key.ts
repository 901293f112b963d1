import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { pickDefined } from "../engine/normal-form.js";
import { KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import {
  attributesBefore,
  differingAttributes,
  pickAttributes,
  targetAttributes,
  undeclaredAttributes,
} from "../object/attributes.js";
import { ownerInThisRun } from "../object/declared-objects.js";
import { makeNextVersion } from "../object/make-version.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { type Owner, ownerOf } from "../object/owner-tag.js";
import { patchVersion } from "../object/patch-version.js";
import type { VaultObject } from "../object/vault-object.js";
import { vaultClient } from "../vault/vault-access.js";
import { isExchangeKeyExpiry, KEY_ATTRIBUTES } from "./key-attributes.js";
import {
  DEFAULT_KEY_OPS,
  isGivenKeyOps,
  isPublicThumbprint,
  isSameGenerate,
  type KeyAttributes,
  type KeyFacts,
  type KeyInputs,
  type KeyOutputs,
  keyFamily,
} from "./key-inputs.js";
import { canMakeSameVersion, KEY, keyState, writeRotationPolicy } from "./key-kind.js";
import { keyObject } from "./key-object.js";
import { recordedThumbprint } from "./key-outputs.js";
import { laterMembers, readKeyInputs, readKeyOutputs } from "./recorded-key.js";
import { policyExpiry, samePolicy, wireRotationPolicy } from "./rotation-policy.js";

/** One update: what state records, what the program says, and the key in the vault. */
interface Update {
  recorded: KeyOutputs;
  inputs: KeyInputs;
  object: VaultObject<KeyBundle>;
  owner: Owner | undefined;
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
  const owner = KEY.owner(inputs, ownerInThisRun("key", inputs, recorded.ownerToken));
  const update: Update = { recorded, inputs, object, owner };

  let bundle: KeyBundle | undefined;
  try {
    bundle = await writeKey(update);
    await updateRotationPolicy(update);
  } catch (error) {
    if (!bundle) throw error;
    const { rotationPolicy: _unwritten, ...reached } = inputs;
    const policy = recorded.rotationPolicy === undefined ? {} : { rotationPolicy: recorded.rotationPolicy };
    throw new PartialFailure(id, outputsOf(update, bundle, { ...reached, ...policy }), error);
  }
  const outs = bundle ? outputsOf(update, bundle, inputs) : unwrittenOutputs(update);
  return { outs: { ...laterMembers(recorded), ...outs } };
}

/** The request that the change needs; undefined where it needs none. */
async function writeKey(update: Update): Promise<KeyBundle | undefined> {
  const { recorded, inputs, object, owner } = update;
  const { changed, cleared } = changedAttributes(update);
  const isOtherSource = needsVersion(recorded, inputs);
  if (isOtherSource || cleared.length > 0) {
    if (!isOtherSource) mustBeAbleToClear(inputs, cleared);
    return makeNextVersion(KEY, object, inputs, {
      known: mayBeOurs(update) ? undefined : recorded.version,
      owner,
      attributesOver: (bundle) =>
        targetAttributes(
          KEY_ATTRIBUTES,
          inputs,
          bundle === undefined ? recorded.found : KEY_ATTRIBUTES.observed(bundle, inputs),
        ),
    });
  }
  if (changed.length === 0) {
    // An adopted key that somebody changed to another version is taken as it is, once it has what the program declares.
    return recorded.foreignVersion && inputs.adopt ? ((await object.current()) ?? undefined) : undefined;
  }
  const target = patchTarget(update);
  const isToMark = owner !== undefined && recorded.ownerToken === undefined && mayMark(update);
  if (isToMark && !changed.includes("tags")) changed.push("tags");
  const isMarked = isToMark || recorded.ownerToken !== undefined;
  return patchVersion(KEY, object, recorded, { changed, target, owner: isMarked ? owner : undefined });
}

/**
 * Whether the version that a refresh has found may be the one that the program's change takes: a run that was cut off
 * has made it. Where the source is the recorded one it is not, even with our mark: a rotation copies that.
 */
function mayBeOurs({ recorded, inputs }: Update): boolean {
  if (recorded.foreignVersion !== true) return false;
  const { generate } = inputs;
  return generate === undefined || recorded.generate === undefined || !isSameGenerate(recorded.generate, generate);
}

/** What differs between the recorded state and the program, and what of it a PATCH cannot clear. */
function changedAttributes({ recorded, inputs }: Update): {
  changed: (keyof KeyAttributes)[];
  cleared: (keyof KeyAttributes)[];
} {
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const before = attributesBefore<KeyAttributes>(KEY_ATTRIBUTES, recorded, declared);
  const keyOps = before.keyOps ?? (declared.keyOps && recordedKeyOps(recorded));
  const differing = differingAttributes(KEY_ATTRIBUTES, { ...before, ...(keyOps ? { keyOps } : {}) }, declared).filter(
    (attribute) => !isLeftAlone(attribute, recorded, inputs),
  );
  const cleared = differing.filter(
    (attribute) => KEY_ATTRIBUTES.clearedByVersion.includes(attribute) && declared[attribute] === undefined,
  );
  const bySelf = cleared.filter((attribute) => attribute === "expiresOn" && inputs.rotationPolicy !== undefined);
  return {
    changed: differing.filter((attribute) => !cleared.includes(attribute) || isMovedBack(attribute, recorded, inputs)),
    cleared: cleared.filter((attribute) => !bySelf.includes(attribute)),
  };
}

/** What the vault's version can be used for, where state knows it. */
function recordedKeyOps({ foreignVersion, publicKey, keyType }: KeyOutputs): string[] | undefined {
  const keyOps = publicKey.keyOps ?? DEFAULT_KEY_OPS[keyFamily(keyType)];
  return foreignVersion || keyOps === undefined ? undefined : [...keyOps];
}

/** What the program leaves to the vault, and what the service sets by itself. */
function isLeftAlone(attribute: keyof KeyAttributes, recorded: KeyOutputs, inputs: KeyInputs): boolean {
  if (inputs[attribute] === undefined && leavesRestToVault(inputs)) return true;
  if (attribute !== "expiresOn") return false;
  return inputs.expiresOn === undefined && isExchangeKeyExpiry(inputs, moments(recorded));
}

/** An expiry that somebody moved under a policy that sets it goes back to the policy's moment. */
function isMovedBack(attribute: keyof KeyAttributes, recorded: KeyOutputs, inputs: KeyInputs): boolean {
  return attribute === "expiresOn" && policyMoment(recorded, inputs) !== undefined;
}

function policyMoment(recorded: KeyOutputs, { expiresOn, rotationPolicy }: KeyInputs): string | undefined {
  if (expiresOn !== undefined || rotationPolicy === undefined) return undefined;
  const moment = policyExpiry(rotationPolicy, recorded.createdOn);
  return moment === undefined ? undefined : formatMoment(new Date(moment));
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

function moments({ createdOn, expiresOn }: KeyOutputs): { createdOn?: Date; expiresOn?: Date } {
  return {
    ...(createdOn === undefined ? {} : { createdOn: new Date(createdOn) }),
    ...(expiresOn === undefined ? {} : { expiresOn: new Date(expiresOn) }),
  };
}

/** Whether the program's source is another one than the vault's version was made from. */
export function needsVersion(recorded: KeyOutputs, inputs: KeyInputs): boolean {
  const { thumbprint, generate } = inputs;
  const isOtherForm =
    recorded.hardwareProtected !== inputs.hardwareProtected || recorded.exportable !== inputs.exportable;
  if (thumbprint !== undefined) {
    if (thumbprint !== (recorded.thumbprint ?? recordedThumbprint(recorded))) return true;
    // Where the vault's key cannot be compared, a version that somebody else made has to be taken for another key.
    if (recorded.foreignVersion && !isPublicThumbprint(thumbprint)) return true;
    return isOtherForm;
  }
  if (generate === undefined) return false;
  if (recorded.foreignVersion || isOtherForm) return true;
  return recorded.generate !== undefined && !isSameGenerate(recorded.generate, generate);
}

/** New key material is made only for a changed source. The same material makes a version that lacks what has to go. */
function mustBeAbleToClear(inputs: KeyInputs, cleared: readonly string[]): void {
  if (canMakeSameVersion(inputs)) return;
  throw new KeyVaultError(
    "KV_INVALID_INPUT",
    `${cleared.join(" and ")} of key "${inputs.name}" in ${inputs.vaultUrl} cannot be removed: the service can only move it, and only a new version is without it`,
    {
      hint:
        inputs.generate === undefined
          ? "run with the key material at hand, which makes a new version from it, or set a later moment"
          : "change generate.keepers, which makes a version of new material, or set a later moment",
    },
  );
}

async function updateRotationPolicy({ recorded, inputs, object }: Update): Promise<void> {
  if (samePolicy(wireRotationPolicy(recorded.rotationPolicy), inputs.rotationPolicy)) return;
  await writeRotationPolicy(object, inputs);
}

function outputsOf({ recorded, inputs, owner }: Update, bundle: KeyBundle, reached: KeyInputs): Properties {
  const isSameVersion = bundle.version === recorded.version;
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, inputs);
  const found = leavesRestToVault(inputs)
    ? undeclaredAttributes(KEY_ATTRIBUTES, KEY_ATTRIBUTES.observed(bundle), declared)
    : undefined;
  const token = owner?.token ?? recorded.ownerToken;
  const isOurs = token !== undefined && ownerOf(bundle.tags)?.token === token;
  return keyState(reached, bundle, {
    ...(found ? { found } : {}),
    ...(isOurs ? { ownerToken: token } : {}),
    ...(isSameVersion ? pickDefined(recorded, ["rotated", "givenKeyOps"]) : {}),
  });
}

const FACTS = [
  "version",
  "keyType",
  "publicKey",
  "createdOn",
  "updatedOn",
  "recoveryLevel",
  "recoverableDays",
  "ownerToken",
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
