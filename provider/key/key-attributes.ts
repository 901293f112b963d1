import { formatMoment } from "../engine/moment.js";
import { canonicalJson } from "../engine/normal-form.js";
import { isLoopbackHost } from "../keyvault/identifier.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { type AttributeRules, sameValue } from "../object/attributes.js";
import { withoutOwnerTag } from "../object/owner-tag.js";
import { isEmbedded } from "../vault/vault-identity.js";
import { isGivenKeyOps, type KeyAttributes, type KeyInputs, type ReleasePolicyInputs, sameSet } from "./key-inputs.js";

const ATTRIBUTES = ["enabled", "notBefore", "expiresOn", "keyOps", "tags", "releasePolicy"] as const;

/** How a key's changeable attributes are read and compared. */
export const KEY_ATTRIBUTES: AttributeRules<KeyInputs, KeyAttributes, KeyBundle> = {
  names: ATTRIBUTES,
  clearedByVersion: ["notBefore", "expiresOn"],
  observed: observedAttributes,
  same: sameAttribute,
  isSetByService,
};

/**
 * A key's changeable attributes as the vault has them, in the normal form of inputs: the owner tag left out, and defaults
 * where `declared` does not spell them either.
 */
export function observedAttributes(bundle: KeyBundle, declared: KeyAttributes = {}): KeyAttributes {
  const { keyOps, releasePolicy } = bundle;
  const isGiven = bundle.keyType === "" || isGivenKeyOps(bundle.keyType, keyOps ?? []);
  const tags = withoutOwnerTag(bundle.tags);
  return {
    ...(bundle.enabled && declared.enabled === undefined ? {} : { enabled: bundle.enabled }),
    ...(bundle.notBefore ? { notBefore: formatMoment(bundle.notBefore) } : {}),
    ...(bundle.expiresOn ? { expiresOn: formatMoment(bundle.expiresOn) } : {}),
    ...(keyOps && (!isGiven || declared.keyOps) ? { keyOps: [...keyOps].sort() } : {}),
    ...(Object.keys(tags).length > 0 || declared.tags ? { tags } : {}),
    ...(releasePolicy?.data ? { releasePolicy: observedReleasePolicy(releasePolicy) } : {}),
  };
}

function observedReleasePolicy(policy: NonNullable<KeyBundle["releasePolicy"]>): ReleasePolicyInputs {
  return {
    data: Buffer.from(policy.data ?? "", "base64url").toString("utf8"),
    ...(policy.immutable ? { immutable: true as const } : {}),
  };
}

export function sameAttribute(attribute: keyof KeyAttributes, a: unknown, b: unknown): boolean {
  if (attribute === "keyOps" && Array.isArray(a) && Array.isArray(b)) return sameSet(a, b);
  if (attribute === "releasePolicy")
    return sameReleasePolicy(a as KeyAttributes["releasePolicy"], b as KeyAttributes["releasePolicy"]);
  return sameValue(attribute, a, b);
}

/** Services write a policy's JSON in their own layout, and the booleans of its claims as text: compare what it says. */
function sameReleasePolicy(a: KeyAttributes["releasePolicy"], b: KeyAttributes["releasePolicy"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  try {
    return policyText(a.data) === policyText(b.data) && a.immutable === b.immutable;
  } catch {
    return a.data === b.data && a.immutable === b.immutable;
  }
}

function policyText(data: string): string {
  return canonicalJson(
    JSON.parse(data, (_key, value: unknown) => (typeof value === "boolean" ? String(value) : value)),
  );
}

/**
 * What the service sets where the program says nothing: the expiry of a key exchange key (48 hours) and of versions
 * under a rotation policy, and on other servers key operations that differ from the service's default.
 */
function isSetByService(attribute: keyof KeyAttributes, inputs: KeyInputs, bundle: KeyBundle): boolean {
  if (attribute === "expiresOn") return inputs.rotationPolicy !== undefined || isExchangeKeyExpiry(inputs, bundle);
  return attribute === "keyOps" && isOtherServer(inputs.vaultUrl);
}

const EXCHANGE_KEY_LIFE_MS = 48 * 3_600_000;
const TOLERANCE_MS = 5 * 60_000;

/** A vault lets a key that may only import others expire 48 hours after it was made. */
export function isExchangeKeyExpiry(
  { keyOps }: Pick<KeyAttributes, "keyOps">,
  { createdOn, expiresOn }: { createdOn?: Date; expiresOn?: Date },
): boolean {
  if (!keyOps?.includes("import") || createdOn === undefined || expiresOn === undefined) return false;
  return Math.abs(expiresOn.getTime() - createdOn.getTime() - EXCHANGE_KEY_LIFE_MS) <= TOLERANCE_MS;
}

function isOtherServer(vaultUrl: string): boolean {
  return !isEmbedded(vaultUrl) && URL.canParse(vaultUrl) && isLoopbackHost(new URL(vaultUrl).hostname);
}
