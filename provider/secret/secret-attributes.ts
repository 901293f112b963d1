import type { Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { markSecret } from "../engine/pulumi-secret.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { type AttributeRules, sameValue } from "../object/attributes.js";
import { withoutOwnerTag } from "../object/owner-tag.js";
import type { SecretAttributes, SecretFacts, SecretInputs } from "./secret-inputs.js";

const ATTRIBUTES = ["enabled", "notBefore", "expiresOn", "contentType", "tags"] as const;

/** How a secret's changeable attributes are read and compared. */
export const SECRET_ATTRIBUTES: AttributeRules<SecretInputs, SecretAttributes, SecretBundle> = {
  names: ATTRIBUTES,
  clearedByVersion: ["expiresOn", "notBefore", "contentType"],
  observed: observedSecretAttributes,
  same: sameValue,
  isSetByService: () => false,
};

/**
 * As the vault has them, in the normal form of inputs: the owner tag left out, and defaults where `declared` does not
 * spell them either.
 */
export function observedSecretAttributes(bundle: SecretBundle, declared: SecretAttributes = {}): SecretAttributes {
  const tags = withoutOwnerTag(bundle.tags);
  return {
    ...(bundle.enabled && declared.enabled === undefined ? {} : { enabled: bundle.enabled }),
    ...(bundle.notBefore ? { notBefore: formatMoment(bundle.notBefore) } : {}),
    ...(bundle.expiresOn ? { expiresOn: formatMoment(bundle.expiresOn) } : {}),
    ...(bundle.contentType ? { contentType: bundle.contentType } : {}),
    ...(Object.keys(tags).length > 0 || declared.tags ? { tags } : {}),
  };
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
