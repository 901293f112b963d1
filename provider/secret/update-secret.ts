import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { pickAttributes, targetAttributes, undeclaredAttributes } from "../object/attributes.js";
import { ownerInThisRun } from "../object/declared-objects.js";
import { makeNextVersion } from "../object/make-version.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { patchKnown } from "../object/patch-version.js";
import { disableSuperseded, disablesPrevious } from "../object/previous-versions.js";
import { putDueMark } from "../object/put-mark.js";
import { plans, propertiesTo } from "../object/update-plan.js";
import type { VaultObject } from "../object/vault-object.js";
import { WrittenMark } from "../object/written-mark.js";
import { vaultClient } from "../vault/vault-access.js";
import { cannotRepeat } from "./cannot-repeat.js";
import { keepGenerated } from "./generated-value.js";
import { planSecretUpdate } from "./plan-secret-update.js";
import { laterMembers, readSecretInputs, readSecretOutputs } from "./recorded-secret.js";
import { SECRET_ATTRIBUTES, sealed } from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { SECRET } from "./secret-kind.js";
import { type SecretObject, secretObject } from "./secret-object.js";
import { valueDigest } from "./value-digest.js";

/** A look and one request for a new value, one for changed attributes, none where only behaviour options changed. */
export async function updateSecret(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const before = readSecretOutputs(olds);
  const inputs = readSecretInputs(news);
  const superseded = new Set([...(before.superseded ?? []), before.version]);
  const object = secretObject(await vaultClient(inputs), inputs, new OperationDeadline(inputs.timeouts?.update));
  const outs = await writeSecret(object, { id, before, inputs }, (version) => superseded.add(version));
  if (!disablesPrevious(inputs)) return { outs };
  const isJustMade = outs.version !== before.version;
  return { outs: await disableSuperseded(object, { id, outs, superseded, isJustMade }) };
}

/**
 * Whether the version that is known may be the wanted one: its digest is lost from state, or a refresh that was not shown
 * its value has found what a run made that was cut off.
 */
function mayHaveValue(
  { valueDigest: digest, uncomparedValue, awaitsVersion }: SecretOutputs,
  { generate }: SecretInputs,
): boolean {
  return awaitsVersion === true || (generate === undefined && (digest === undefined || uncomparedValue === true));
}

/** @param onVersion is told the version that is there before another is made. */
async function writeSecret(
  object: SecretObject,
  { id, before, inputs }: { id: string; before: SecretOutputs; inputs: SecretInputs },
  onVersion: (version: string) => void,
): Promise<Properties> {
  const recorded = await comparedAfterAll(object, before, inputs);
  const later = laterMembers(recorded);
  const own = SECRET.owner(inputs, ownerInThisRun("secret", inputs, recorded.ownerToken));
  const mark = new WrittenMark(object, recorded, inputs, own);
  const plan = planSecretUpdate(recorded, inputs);
  if (plans(plan, "refuse")) throw cannotRepeat(object.label, "cannot be read");
  if (plans(plan, "newVersion", "versionWithout")) {
    if (!plans(plan, "newVersion") && inputs.generate !== undefined) await keepValueOfVault(object, recorded, inputs);
    const [known, uncompared] = mayHaveValue(recorded, inputs)
      ? [undefined, recorded.version]
      : [recorded.version, undefined];
    const bundle = await makeNextVersion(SECRET, object, inputs, {
      known,
      uncompared,
      mark,
      attributesOver: (current) => {
        if (current !== undefined) onVersion(current.version);
        return targetAttributes(
          SECRET_ATTRIBUTES,
          inputs,
          current === undefined ? recorded.found : SECRET_ATTRIBUTES.observed(current, inputs),
        );
      },
    });
    return { ...later, ...(await written(recorded, inputs, bundle, mark)) };
  }
  const toPatch = propertiesTo(plan, "patch");
  const changed = SECRET_ATTRIBUTES.names.filter((attribute) => toPatch.includes(attribute));
  if (changed.length > 0) {
    const isToMark = mark.owner !== undefined && recorded.ownerToken === undefined && mayMark(recorded, inputs);
    if (isToMark && !changed.includes("tags")) changed.push("tags");
    const patched = await patchKnown(SECRET, object, recorded, {
      changed,
      target: pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs),
      mark,
      isMarked: isToMark || recorded.ownerToken !== undefined,
    });
    try {
      const bundle = (await putDueMark(SECRET, object, inputs, { recorded, mark, written: patched })) ?? patched;
      return { ...later, ...(await written(recorded, inputs, bundle, mark)) };
    } catch (error) {
      const left = disablesPrevious(inputs) ? pickDefined(recorded, ["superseded"]) : {};
      const outs = { ...later, ...(await written(recorded, inputs, patched, mark)), ...left };
      throw new PartialFailure(id, { ...outs, ...mark.notTakenBack(patched.tags) }, error);
    }
  }
  const marked = await putDueMark(SECRET, object, inputs, { recorded, mark, written: undefined });
  if (marked) return { ...later, ...(await written(recorded, inputs, marked, mark)) };
  return { ...later, ...unwritten(recorded, inputs) };
}

/** A refresh may not have been allowed to read a value that an update, which may write, can: it need not be set again. */
async function comparedAfterAll(
  object: VaultObject<SecretBundle>,
  recorded: SecretOutputs,
  { vaultUrl, name }: SecretInputs,
): Promise<SecretOutputs> {
  const { uncomparedValue, ...rest } = recorded;
  if (uncomparedValue === undefined) return recorded;
  const current = await object.current();
  if (current?.version !== recorded.version || current.value === undefined) return recorded;
  return (await valueDigest(vaultUrl, name, current.value)) === recorded.valueDigest ? rest : recorded;
}

/** A new version that only lacks an attribute has the value of the one before, which the vault alone holds. */
async function keepValueOfVault(
  object: VaultObject<SecretBundle>,
  recorded: SecretOutputs,
  inputs: SecretInputs,
): Promise<void> {
  const value = (await object.current())?.value;
  if (value !== undefined) {
    const digest = await valueDigest(inputs.vaultUrl, inputs.name, value);
    if (digest === recorded.valueDigest) return keepGenerated(inputs, { value, digest, isRepeated: true });
  }
  throw cannotRepeat(object.label, value === undefined ? "cannot be read" : "is not the recorded one");
}

/** A PATCH replaces all tags: only where the program says what they are, or there are none of others, may it add our mark. */
function mayMark(recorded: SecretOutputs, inputs: SecretInputs): boolean {
  if (inputs.tags === undefined && leavesRestToVault(inputs)) return false;
  return Object.keys(inputs.tags ?? recorded.tags ?? {}).length < 15;
}

async function written(
  recorded: SecretOutputs,
  inputs: SecretInputs,
  bundle: SecretBundle,
  mark: WrittenMark,
): Promise<Properties> {
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const found = leavesRestToVault(inputs)
    ? undeclaredAttributes(SECRET_ATTRIBUTES, SECRET_ATTRIBUTES.observed(bundle), declared)
    : undefined;
  return SECRET.outputs(inputs, bundle, {
    ...(bundle.version === recorded.version ? digestOfGenerated(recorded, inputs) : {}),
    ...(found ? { found } : {}),
    ...mark.marks(bundle.tags),
  });
}

const FACTS = [
  "version",
  "createdOn",
  "updatedOn",
  "recoveryLevel",
  "recoverableDays",
  "ownerToken",
  "otherMark",
] as const satisfies readonly (keyof SecretFacts)[];

/** Nothing was written: the vault is as it was recorded. */
function unwritten(recorded: SecretOutputs, inputs: SecretInputs): Properties {
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const before = { ...recorded.found, ...pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, recorded) };
  const found = leavesRestToVault(inputs) ? undeclaredAttributes(SECRET_ATTRIBUTES, before, declared) : undefined;
  return sealed({
    ...inputs,
    ...pickDefined(recorded, FACTS),
    ...digestOfGenerated(recorded, inputs),
    ...(found ? { found } : {}),
  });
}

/** Of a generated value the digest is no input: it stays as it is recorded. */
function digestOfGenerated(
  { valueDigest: digest }: SecretOutputs,
  { generate }: SecretInputs,
): { valueDigest?: string } {
  return generate === undefined || digest === undefined ? {} : { valueDigest: digest };
}
