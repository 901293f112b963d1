import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import type { ObjectKind, PatchedVersion } from "../object/object-kind.js";
import { type Owner, ownerOf } from "../object/owner-tag.js";
import { secretValueFor } from "../object/pending-material.js";
import { markOfRestored } from "../object/restore-source.js";
import type { LookAgain, VaultObject } from "../object/vault-object.js";
import { cannotRepeat } from "./cannot-repeat.js";
import {
  forgetGenerated,
  type GenerateRecipe,
  generatedFor,
  generateValue,
  keepGenerated,
  recipeDigest,
} from "./generated-value.js";
import { SECRET_ATTRIBUTES, secretOutputs } from "./secret-attributes.js";
import type { SecretAttributes, SecretInputs } from "./secret-inputs.js";
import { secretObject } from "./secret-object.js";
import { valueDigest } from "./value-digest.js";

/** What makes a secret a secret in the life that it shares with keys. */
export const SECRET: ObjectKind<SecretInputs, SecretAttributes, SecretBundle> = {
  noun: "secret",
  collection: "secrets",
  bind: secretObject,
  attributes: SECRET_ATTRIBUTES,
  matches: hasValue,
  verify: () => {},
  send: sendVersion,
  patch: sendPatch,
  outputs: async (inputs, bundle, marks) =>
    secretOutputs(inputs, bundle, { ...marks, ...(await generatedDigest(inputs, bundle)) }),
  reached: async (inputs, bundle, isMade) => {
    const {
      enabled: _e,
      notBefore: _n,
      expiresOn: _x,
      contentType: _c,
      tags: _t,
      valueDigest: digest,
      generate,
      ...rest
    } = inputs;
    const there = { ...rest, ...SECRET_ATTRIBUTES.observed(bundle, leavesRestToVault(inputs) ? inputs : {}) };
    const isSame = await hasValue(inputs, bundle);
    // A secret that was recovered, and whose value was not set any more, has another one as far as is known.
    const isToMake = !isMade && !inputs.adopt && (digest ?? generate) !== undefined;
    if (isSame === false || (isSame === undefined && isToMake))
      return { inputs: there, marks: { awaitsVersion: true } };
    const source = { ...(digest === undefined ? {} : { valueDigest: digest }), ...(generate ? { generate } : {}) };
    return { inputs: { ...there, ...source }, marks: {} };
  },
  owner: markOf,
  repeatSource,
};

/** A generated value is in the vault alone: a version that only lacks an attribute has it again. */
async function repeatSource(
  { label }: VaultObject<SecretBundle>,
  inputs: SecretInputs,
  { value }: SecretBundle,
): Promise<void> {
  if (inputs.generate === undefined) return;
  if (value === undefined) throw cannotRepeat(label, "cannot be read");
  const digest = await valueDigest(inputs.vaultUrl, inputs.name, value);
  keepGenerated(inputs, { value, digest, isRepeated: true });
}

/** The owner tag of a generated secret also says of which recipe it was made: a run that was cut off knows no more of it. */
function markOf(inputs: SecretInputs, owner: Owner | undefined): Owner | undefined {
  if (owner === undefined || inputs.generate === undefined) return markOfRestored(inputs, owner);
  return { ...owner, source: recipeDigest(inputs.generate) };
}

/** Whether a version has a value of the program's recipe: the one that this operation has made, or by its mark any. */
async function isGenerated(
  inputs: SecretInputs,
  recipe: GenerateRecipe,
  { value, tags }: SecretBundle,
): Promise<boolean | undefined> {
  const sent = generatedFor(inputs);
  if (sent !== undefined && value !== undefined) return value === sent.value;
  const source = ownerOf(tags)?.source;
  return source === undefined ? undefined : source === recipeDigest(recipe);
}

/** What state keeps of a generated value; nothing where the vault does not show it, which a refresh makes up for. */
async function generatedDigest(inputs: SecretInputs, { value }: SecretBundle): Promise<{ valueDigest?: string }> {
  if (inputs.generate === undefined) return {};
  const sent = generatedFor(inputs);
  if (sent !== undefined && (value === undefined || value === sent.value)) return { valueDigest: sent.digest };
  return value === undefined ? {} : { valueDigest: await valueDigest(inputs.vaultUrl, inputs.name, value) };
}

/** Whether a version has the value that the program gives; undefined where its value, or the program's, cannot be read. */
export async function hasValue(inputs: SecretInputs, bundle: SecretBundle): Promise<boolean | undefined> {
  if (inputs.generate !== undefined) return isGenerated(inputs, inputs.generate, bundle);
  const { vaultUrl, name, valueDigest: digest } = inputs;
  const { value } = bundle;
  if (digest === undefined || value === undefined) return undefined;
  return (await valueDigest(vaultUrl, name, value)) === digest;
}

/** Sets the value as a new version, with everything that belongs to it. */
async function sendVersion(
  { client, deadline, label }: VaultObject<SecretBundle>,
  inputs: SecretInputs,
  attributes: SecretAttributes,
  lookAgain: LookAgain,
): Promise<SecretBundle> {
  const value = inputs.generate === undefined ? givenValue(inputs) : await valueOfRecipe(inputs, inputs.generate);
  if (value === undefined) {
    throw new KeyVaultError(
      "KV_INVALID_INPUT",
      `a new version of ${label} has to be set, and its value is not at hand`,
      {
        hint: "run where the program has the value",
      },
    );
  }
  try {
    return await client.setSecret(
      inputs.name,
      { value, ...wireAttributes(attributes) },
      { ...deadline.call, lookAgain },
    );
  } catch (error) {
    // Nothing has this value, so nothing is to be compared with it: what is there may be of an earlier run.
    if (isKeyVaultError(error) && !error.mayHaveHappened) forgetGenerated(inputs);
    throw error;
  }
}

function givenValue({ valueDigest: digest }: SecretInputs): string | undefined {
  return digest === undefined ? undefined : secretValueFor(digest);
}

/** One value for one operation. */
async function valueOfRecipe(inputs: SecretInputs, recipe: GenerateRecipe): Promise<string> {
  const made = generatedFor(inputs);
  if (made !== undefined) return made.value;
  const value = generateValue(recipe);
  keepGenerated(inputs, { value, digest: await valueDigest(inputs.vaultUrl, inputs.name, value) });
  return value;
}

/** A patched version has the value that it had, and the answer to a PATCH does not show it. */
async function sendPatch(
  { client, deadline, address }: VaultObject<SecretBundle>,
  { version, value }: PatchedVersion,
  changed: readonly (keyof SecretAttributes)[],
  target: SecretAttributes,
): Promise<SecretBundle> {
  const moved = Object.fromEntries(
    changed.filter((attribute) => target[attribute] !== undefined).map((attribute) => [attribute, target[attribute]]),
  ) as SecretAttributes;
  const patched = await client.updateSecret(
    address.name,
    version,
    {
      ...wireAttributes(moved),
      ...(changed.includes("enabled") ? { enabled: target.enabled ?? true } : {}),
      ...(changed.includes("tags") ? { tags: target.tags ?? {} } : {}),
    },
    deadline.call,
  );
  return value === undefined ? patched : { ...patched, value };
}

function wireAttributes(attributes: SecretAttributes) {
  const { enabled, notBefore, expiresOn, contentType, tags } = attributes;
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore: new Date(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: new Date(expiresOn) } : {}),
    ...(contentType ? { contentType } : {}),
    ...(tags ? { tags } : {}),
  };
}
