import { KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import type { ObjectKind, PatchedVersion } from "../object/object-kind.js";
import { secretValueFor } from "../object/pending-material.js";
import { markOfRestored } from "../object/restore-source.js";
import type { VaultObject } from "../object/vault-object.js";
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
  outputs: secretOutputs,
  reached: async (inputs, bundle) => {
    const {
      enabled: _e,
      notBefore: _n,
      expiresOn: _x,
      contentType: _c,
      tags: _t,
      valueDigest: digest,
      ...rest
    } = inputs;
    const there = { ...rest, ...SECRET_ATTRIBUTES.observed(bundle, leavesRestToVault(inputs) ? inputs : {}) };
    const isSame = digest !== undefined && (await hasValue(inputs, bundle)) !== false;
    return { inputs: isSame ? { ...there, valueDigest: digest } : there, marks: {} };
  },
  owner: markOfRestored,
};

/** Whether a version has the value that the program gives; undefined where its value, or the program's, cannot be read. */
export async function hasValue(
  { vaultUrl, name, valueDigest: digest }: SecretInputs,
  { value }: SecretBundle,
): Promise<boolean | undefined> {
  if (digest === undefined || value === undefined) return undefined;
  return (await valueDigest(vaultUrl, name, value)) === digest;
}

/** Sets the value as a new version, with everything that belongs to it. */
async function sendVersion(
  { client, deadline, label }: VaultObject<SecretBundle>,
  inputs: SecretInputs,
  attributes: SecretAttributes,
): Promise<SecretBundle> {
  const value = inputs.valueDigest === undefined ? undefined : secretValueFor(inputs.valueDigest);
  if (value === undefined) {
    throw new KeyVaultError(
      "KV_INVALID_INPUT",
      `a new version of ${label} has to be set, and its value is not at hand`,
      {
        hint: "run where the program has the value",
      },
    );
  }
  return client.setSecret(inputs.name, { value, ...wireAttributes(attributes) }, deadline.call);
}

function sendPatch(
  { client, deadline, address }: VaultObject<SecretBundle>,
  { version }: PatchedVersion,
  changed: readonly (keyof SecretAttributes)[],
  target: SecretAttributes,
): Promise<SecretBundle> {
  const moved = Object.fromEntries(
    changed.filter((attribute) => target[attribute] !== undefined).map((attribute) => [attribute, target[attribute]]),
  ) as SecretAttributes;
  return client.updateSecret(
    address.name,
    version,
    {
      ...wireAttributes(moved),
      ...(changed.includes("enabled") ? { enabled: target.enabled ?? true } : {}),
      ...(changed.includes("tags") ? { tags: target.tags ?? {} } : {}),
    },
    deadline.call,
  );
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
