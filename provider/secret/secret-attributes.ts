import type { Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { canonicalJson, pickDefined } from "../engine/normal-form.js";
import { markSecret } from "../engine/pulumi-secret.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import type { SecretAttributes, SecretFacts, SecretInputs } from "./secret-inputs.js";

const ATTRIBUTES = ["enabled", "notBefore", "expiresOn", "contentType", "tags"] as const;

/** What a PATCH can move and not clear: only a new version is without it. */
export const CLEARED_BY_VERSION = ["expiresOn", "notBefore", "contentType"] as const;

export function observedSecretAttributes(bundle: SecretBundle): SecretAttributes {
  return {
    ...(bundle.enabled ? {} : { enabled: false as const }),
    ...(bundle.notBefore ? { notBefore: formatMoment(bundle.notBefore) } : {}),
    ...(bundle.expiresOn ? { expiresOn: formatMoment(bundle.expiresOn) } : {}),
    ...(bundle.contentType ? { contentType: bundle.contentType } : {}),
    ...(Object.keys(bundle.tags).length > 0 ? { tags: bundle.tags } : {}),
  };
}

export function pickSecretAttributes(properties: SecretAttributes): SecretAttributes {
  return pickDefined(properties, ATTRIBUTES);
}

export function differingSecretAttributes(
  current: SecretAttributes,
  target: SecretAttributes,
): (keyof SecretAttributes)[] {
  return ATTRIBUTES.filter((attribute) => canonicalJson(current[attribute]) !== canonicalJson(target[attribute]));
}

export function undeclaredSecretAttributes(
  found: SecretAttributes,
  declared: SecretAttributes,
): SecretAttributes | undefined {
  const kept = Object.entries(found).filter(
    ([attribute]) => declared[attribute as keyof SecretAttributes] === undefined,
  );
  return kept.length > 0 ? (Object.fromEntries(kept) as SecretAttributes) : undefined;
}

export function sameSecretAttribute(
  attribute: keyof SecretAttributes,
  a: SecretAttributes,
  b: SecretAttributes,
): boolean {
  return canonicalJson(a[attribute]) === canonicalJson(b[attribute]);
}

/** What state holds of a secret. */
export function secretOutputs(
  inputs: SecretInputs,
  bundle: SecretBundle,
  marks: Partial<SecretFacts> = {},
): Properties {
  return sealed({
    ...inputs,
    version: bundle.version,
    ...(bundle.createdOn ? { createdOn: formatMoment(bundle.createdOn) } : {}),
    ...(bundle.updatedOn ? { updatedOn: formatMoment(bundle.updatedOn) } : {}),
    ...(bundle.recoveryLevel ? { recoveryLevel: bundle.recoveryLevel } : {}),
    ...(bundle.recoverableDays === undefined ? {} : { recoverableDays: bundle.recoverableDays }),
    ...marks,
  });
}

/** A digest of a short value can be guessed, however it is salted: it is a secret of the state too. */
export function sealed(properties: {
  valueDigest?: string | undefined;
  expectedValueDigest?: string | undefined;
}): Properties {
  const { valueDigest, expectedValueDigest } = properties;
  return {
    ...properties,
    ...(valueDigest === undefined ? {} : { valueDigest: markSecret(valueDigest) }),
    ...(expectedValueDigest === undefined ? {} : { expectedValueDigest: markSecret(expectedValueDigest) }),
  };
}
