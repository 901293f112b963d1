import { formatMoment } from "../engine/moment.js";
import { canonicalJson, pickDefined } from "../engine/normal-form.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { isGivenKeyOps, type KeyAttributes, type ReleasePolicyInputs, sameSet } from "./key-inputs.js";

const ATTRIBUTES = ["enabled", "notBefore", "expiresOn", "keyOps", "tags", "releasePolicy"] as const;

/** A key's changeable attributes as the vault has them, in the normal form of inputs: defaults left out. */
export function observedAttributes(bundle: KeyBundle): KeyAttributes {
  const { keyOps, releasePolicy } = bundle;
  const hasOwnKeyOps = keyOps !== undefined && !isGivenKeyOps(bundle.keyType, keyOps);
  return {
    ...(bundle.enabled ? {} : { enabled: false as const }),
    ...(bundle.notBefore ? { notBefore: formatMoment(bundle.notBefore) } : {}),
    ...(bundle.expiresOn ? { expiresOn: formatMoment(bundle.expiresOn) } : {}),
    ...(hasOwnKeyOps ? { keyOps: [...keyOps].sort() } : {}),
    ...(Object.keys(bundle.tags).length > 0 ? { tags: bundle.tags } : {}),
    ...(releasePolicy?.data ? { releasePolicy: observedReleasePolicy(releasePolicy) } : {}),
  };
}

function observedReleasePolicy(policy: NonNullable<KeyBundle["releasePolicy"]>): ReleasePolicyInputs {
  return {
    data: Buffer.from(policy.data ?? "", "base64url").toString("utf8"),
    ...(policy.immutable ? { immutable: true as const } : {}),
  };
}

/** The attributes that differ, each with the value it is to get; `undefined` where it is to be cleared. */
export function differingAttributes(
  current: KeyAttributes,
  target: KeyAttributes,
): Partial<Record<keyof KeyAttributes, true>> {
  const differing: Partial<Record<keyof KeyAttributes, true>> = {};
  for (const attribute of ATTRIBUTES) {
    if (!sameAttribute(attribute, current[attribute], target[attribute])) differing[attribute] = true;
  }
  return differing;
}

export function sameAttribute(attribute: keyof KeyAttributes, a: unknown, b: unknown): boolean {
  if (attribute === "keyOps" && Array.isArray(a) && Array.isArray(b)) return sameSet(a, b);
  if (attribute === "releasePolicy")
    return sameReleasePolicy(a as KeyAttributes["releasePolicy"], b as KeyAttributes["releasePolicy"]);
  return canonicalJson(a) === canonicalJson(b);
}

/** Services write a policy's JSON in their own layout: compare what it says. */
function sameReleasePolicy(a: KeyAttributes["releasePolicy"], b: KeyAttributes["releasePolicy"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  try {
    return canonicalJson(JSON.parse(a.data)) === canonicalJson(JSON.parse(b.data)) && a.immutable === b.immutable;
  } catch {
    return a.data === b.data && a.immutable === b.immutable;
  }
}

/** Attributes of a found key that the program leaves out, and that therefore stay as they are. */
export function undeclaredAttributes(found: KeyAttributes, declared: KeyAttributes): KeyAttributes | undefined {
  const kept = Object.fromEntries(
    ATTRIBUTES.filter((attribute) => found[attribute] !== undefined && declared[attribute] === undefined).map(
      (attribute) => [attribute, found[attribute]],
    ),
  ) as KeyAttributes;
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/** The attributes among a larger set of properties. */
export function pickAttributes(properties: KeyAttributes): KeyAttributes {
  return pickDefined(properties, ATTRIBUTES);
}
