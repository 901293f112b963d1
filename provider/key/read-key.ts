import type { Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { pickDefined } from "../engine/normal-form.js";
import { tell } from "../engine/progress.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { publicThumbprint } from "../material/thumbprint.js";
import { pickAttributes } from "../object/attributes.js";
import { tellGone } from "../object/deletion-report.js";
import { missingObject } from "../object/missing-object.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { observeFound, observeOwner } from "../object/observe-object.js";
import { formatSetOutside, formatSwappedDigest } from "../object/observed-drift.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { supersededBy } from "../object/previous-versions.js";
import { onceRecovered } from "../object/recover-object.js";
import { formatUnmanagedChange } from "../object/unmanaged-change.js";
import type { VaultObject } from "../object/vault-object.js";
import { addressOfId, type ObjectAddress, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { isExchangeKeyExpiry, KEY_ATTRIBUTES, observedAttributes, sameAttribute } from "./key-attributes.js";
import {
  isGivenKeyOps,
  type KeyAttributes,
  type KeyFacts,
  type KeyInputs,
  type KeyOutputs,
  type RotationPolicyInputs,
  sameSet,
} from "./key-inputs.js";
import { isHidden, keyObject } from "./key-object.js";
import { keyOutputs, recordedPublicJwk, recordedThumbprint } from "./key-outputs.js";
import { rotationPolicyOf } from "./read-rotation-policy.js";
import { laterMembers, readKeyOutputs } from "./recorded-key.js";
import { explainsVersion, isPolicyExpiry, observedRotationPolicy, type VersionMoments } from "./rotation-policy.js";

/**
 * Reads a key with one request (two where the program has a rotation policy), and tells per property what left the
 * recorded state. Only the vault's own 404 means that a key is gone: any other failure is an error.
 */
export async function readKey(
  id: string,
  props: Properties,
): Promise<{ id: string; props: Properties; inputs?: Properties }> {
  // Only `Key.get` and an import have no version yet: one that became null is a state that cannot be read.
  const recorded = props.version === undefined ? undefined : readKeyOutputs(props);
  const address = recorded ?? addressOf(id, props);
  const key = keyObject(await vaultClient(address), address, new OperationDeadline(recorded?.timeouts?.read));
  const bundle = await onceRecovered(key, recorded, () => key.current());
  if (!bundle) {
    await tellGone(key, recorded);
    if (props.name === undefined) throw missingObject(key);
    return { id: "", props: {} };
  }
  if (!recorded) return byId(address, bundle);
  return { id, ...(await observe(key, recorded, shown(recorded, bundle))) };
}

function addressOf(id: string, props: Properties): ObjectAddress {
  const { vaultUrl, name } = props;
  const credential = typeof props.credential === "string" ? { credential: props.credential } : {};
  if (typeof vaultUrl === "string" && typeof name === "string") return { vaultUrl, name, ...credential };
  return { ...addressOfId("keys", id), ...(typeof vaultUrl === "string" ? { vaultUrl } : {}), ...credential };
}

/** `Key.get`: state knows nothing of the key but where it is. */
function byId(address: ObjectAddress, bundle: KeyBundle) {
  return {
    id: objectId("keys", address),
    props: { ...keyOutputs({ ...address, ...observedAttributes(bundle) }, bundle) },
    inputs: { ...address },
  };
}

/** Of a disabled key that the server does not show, state knows what the key is: its version tells whether it still is. */
function shown(recorded: KeyOutputs, bundle: KeyBundle): KeyBundle {
  if (!isHidden(bundle)) return bundle;
  const { keyType, publicKey } = recorded;
  return {
    ...bundle,
    keyType,
    publicKey: recordedPublicJwk(recorded),
    ...(publicKey.keyOps === undefined ? {} : { keyOps: publicKey.keyOps }),
  };
}

async function observe(
  key: VaultObject<KeyBundle>,
  recorded: KeyOutputs,
  bundle: KeyBundle,
): Promise<{ props: Properties; inputs: Properties }> {
  const version = await observeVersion(key, recorded, bundle);
  const isExpiryOfPolicy = version.isRotated && (await isExpiryOfRotation(key, recorded, bundle));
  const { attributes, outside } = declaredAttributes(recorded, bundle, isExpiryOfPolicy);
  // Operations can be set back in place, and need no note in the inputs: only the next refresh has to know that the program says nothing of them.
  const saysOps = leavesRestToVault(recorded) || withoutSetOutside(recorded).keyOps !== undefined;
  const setOutside = [...outside, ...(saysOps || attributes.keyOps === undefined ? [] : ["keyOps"])];
  const { rotationPolicy, isUncertain } = await observePolicy(key, recorded);
  const inputs: KeyInputs = {
    ...pickDefined(recorded, OPTIONS),
    ...attributes,
    ...(version.thumbprint === undefined ? {} : { thumbprint: version.thumbprint }),
    ...(rotationPolicy ? { rotationPolicy } : {}),
  };
  const isOther = version.isForeign || version.expected !== undefined;
  const outs = keyOutputs(inputs, bundle, {
    ...marksOf(key, recorded, bundle, version),
    ...(setOutside.length > 0 ? { setOutside } : {}),
    ...(isUncertain ? { uncertainPolicy: true } : {}),
  });
  return {
    // A key that somebody else put there never becomes the recorded one: what the program exports stays its own.
    props: {
      ...laterMembers(recorded),
      ...(bundle.version === recorded.version ? pickDefined(recorded, ["publicThumbprint"]) : {}),
      ...outs,
      ...(isOther ? pickDefined(recorded, ["keyType", "publicKey", "publicThumbprint"]) : {}),
    },
    inputs: {
      ...inputs,
      ...(version.isForeign ? { version: bundle.version } : {}),
      ...swapped(version),
      ...Object.fromEntries(outside.map((attribute) => [attribute, formatSetOutside(String(attributes[attribute]))])),
    },
  };
}

/** How the inputs tell of a key that somebody else put there: a program without the material still knows its own by it. */
function swapped({ thumbprint, expected, foreignThumbprint }: ObservedVersion): { thumbprint?: string } {
  if (foreignThumbprint !== undefined) return { thumbprint: foreignThumbprint };
  if (thumbprint === undefined || expected === undefined || thumbprint === expected) return {};
  return { thumbprint: formatSwappedDigest({ found: thumbprint, expected }) };
}

function marksOf(
  key: VaultObject<KeyBundle>,
  recorded: KeyOutputs,
  bundle: KeyBundle,
  version: ObservedVersion,
): Partial<KeyFacts> {
  const owner = observeOwner(key, recorded, bundle);
  const found = observeFound(key, KEY_ATTRIBUTES, recorded, bundle);
  return {
    ...(found ? { found } : {}),
    ...(version.isRotated ? { rotated: true } : {}),
    // What a rotation policy made is no version of the program's, and disables none.
    ...(version.isRotated ? pickDefined(recorded, ["superseded"]) : supersededBy(recorded, bundle.version)),
    ...(version.isForeign ? { foreignVersion: true } : {}),
    ...(version.expected === undefined ? {} : { expectedThumbprint: version.expected }),
    ...owner,
    ...(owner.ownerToken === undefined ? {} : pickDefined(recorded, ["formerToken"])),
    ...pickDefined(recorded, ["awaitsVersion", "givenKeyOps"]),
  };
}

interface ObservedVersion {
  thumbprint: string | undefined;
  /** What the material was to be, where it is another. */
  expected?: string;
  /** Of a key whose material the program does not name: the thumbprint of another one in its place. */
  foreignThumbprint?: string;
  isRotated: boolean;
  isForeign: boolean;
}

/** The material of a version never changes, so only a version that state does not know can be another key. */
async function observeVersion(
  key: VaultObject<KeyBundle>,
  recorded: KeyOutputs,
  bundle: KeyBundle,
): Promise<ObservedVersion> {
  const { thumbprint, expectedThumbprint } = recorded;
  if (bundle.version === recorded.version) {
    return {
      thumbprint,
      ...(expectedThumbprint === undefined ? {} : { expected: expectedThumbprint }),
      ...(recorded.foreignVersion ? foreignThumbprint(recorded, bundle) : {}),
      isRotated: recorded.rotated === true,
      isForeign: recorded.foreignVersion === true,
    };
  }
  const observed = publicThumbprint(bundle.publicKey);
  const wanted = expectedThumbprint ?? thumbprint;
  if (thumbprint !== undefined && observed !== undefined && observed !== wanted) {
    return { thumbprint: observed, expected: wanted ?? thumbprint, isRotated: false, isForeign: false };
  }
  if (thumbprint === undefined && !recorded.foreignVersion && (await isRotation(key, recorded, bundle))) {
    if (recorded.rotationPolicy === undefined) {
      tell(formatUnmanagedChange({ label: key.label, attribute: "version" }));
    }
    return { thumbprint, isRotated: true, isForeign: false };
  }
  return { thumbprint: wanted, ...foreignThumbprint(recorded, bundle), isRotated: false, isForeign: true };
}

/**
 * The thumbprint of other material in the place of an adopted or restored key, whose own stays recorded. Of a generated
 * key the version alone tells that it is another: it has no material that the program names.
 */
function foreignThumbprint(recorded: KeyOutputs, { publicKey }: KeyBundle): { foreignThumbprint?: string } {
  if (!leavesRestToVault(recorded) || recorded.thumbprint !== undefined) return {};
  const [before, now] = [recordedThumbprint(recorded), publicThumbprint(publicKey)];
  return before === undefined || now === undefined || before === now ? {} : { foreignThumbprint: now };
}

/**
 * Whether the key's rotation policy made the version: near the day on which the one before it was due. Where several
 * came since the last look, each has to follow from the one before.
 */
async function isRotation(key: VaultObject<KeyBundle>, recorded: KeyOutputs, bundle: KeyBundle): Promise<boolean> {
  const policy = recorded.rotationPolicy ?? (await policyBefore(key, bundle));
  if (policy === undefined) return false;
  if (explainsVersion(policy, recorded, bundle)) return true;
  if (!(policy.rotateAfter || policy.rotateBeforeExpiry) || recorded.createdOn === undefined) return false;
  let before: VersionMoments = recorded;
  for (const version of await versionsSince(key, Date.parse(recorded.createdOn), recorded.version)) {
    if (!explainsVersion(policy, before, version)) return false;
    before = {
      ...(version.createdOn ? { createdOn: formatMoment(version.createdOn) } : {}),
      ...(version.expiresOn ? { expiresOn: formatMoment(version.expiresOn) } : {}),
    };
  }
  return true;
}

/** The vault's own policy, where it was there before the version: one that was set since cannot have made it. */
async function policyBefore(
  key: VaultObject<KeyBundle>,
  { createdOn }: KeyBundle,
): Promise<RotationPolicyInputs | undefined> {
  const policy = await rotationPolicyOf(key);
  if (policy?.updatedOn !== undefined && createdOn !== undefined && policy.updatedOn > createdOn) return undefined;
  return policy && observedRotationPolicy(policy, {});
}

/** Whether the expiry of a version that a policy made is the one that the policy gave it. */
async function isExpiryOfRotation(
  key: VaultObject<KeyBundle>,
  { rotationPolicy: declared }: KeyOutputs,
  { createdOn, expiresOn }: KeyBundle,
): Promise<boolean> {
  if (expiresOn === undefined) return true;
  const vaultPolicy = declared === undefined ? await rotationPolicyOf(key) : undefined;
  // A policy that cannot be read leaves it open: what is not known is no drift.
  if (declared === undefined && vaultPolicy === undefined) return true;
  const policy = declared ?? (vaultPolicy && observedRotationPolicy(vaultPolicy, {}));
  return policy !== undefined && isPolicyExpiry(policy, createdOn, expiresOn);
}

async function versionsSince({ client, address, deadline }: VaultObject<KeyBundle>, since: number, known: string) {
  const versions = [];
  for await (const version of client.getKeyVersions(address.name, deadline.call)) {
    if (version.version !== known && (version.createdOn?.getTime() ?? 0) >= since) versions.push(version);
  }
  return versions.sort((a, b) => (a.createdOn?.getTime() ?? 0) - (b.createdOn?.getTime() ?? 0));
}

/** The policy in the form of the program's. One that cannot be read is no drift: the recorded one stands. */
async function observePolicy(
  key: VaultObject<KeyBundle>,
  { rotationPolicy: declared, uncertainPolicy }: KeyOutputs,
): Promise<{ rotationPolicy: RotationPolicyInputs | undefined; isUncertain: boolean }> {
  const isUncertain = uncertainPolicy === true;
  if (declared === undefined && !isUncertain) return { rotationPolicy: undefined, isUncertain };
  const policy = await rotationPolicyOf(key);
  if (policy === undefined) return { rotationPolicy: declared, isUncertain };
  return { rotationPolicy: observedRotationPolicy(policy, declared ?? {}), isUncertain: false };
}

/** Attributes in the form of the program's, and which of them somebody set that the program does not have. */
function declaredAttributes(
  outputs: KeyOutputs,
  bundle: KeyBundle,
  isExpiryOfPolicy: boolean,
): { attributes: KeyAttributes; outside: (keyof KeyAttributes)[] } {
  const recorded = withoutSetOutside(outputs);
  const declared = pickAttributes<KeyAttributes>(KEY_ATTRIBUTES, recorded);
  const isLeft = leavesRestToVault(recorded);
  const attributes: KeyAttributes = { ...observedAttributes(bundle, isLeft ? declared : {}) };
  const observedOps = observedKeyOps(recorded, bundle);
  assign(attributes, "keyOps", observedOps);
  if (sameAttribute("releasePolicy", declared.releasePolicy, attributes.releasePolicy)) {
    assign(attributes, "releasePolicy", declared.releasePolicy);
  }
  if (isLeft) {
    for (const attribute of KEY_ATTRIBUTES.names) {
      if (declared[attribute] === undefined) delete attributes[attribute];
    }
  }
  if (isExpiryOfPolicy || isExpiryOfService(recorded, bundle)) assign(attributes, "expiresOn", declared.expiresOn);
  const outside = KEY_ATTRIBUTES.clearedByVersion.filter(
    (attribute) => declared[attribute] === undefined && attributes[attribute] !== undefined,
  );
  return { attributes, outside };
}

/** What the program declares: a refresh before this one may have recorded what somebody else has set. */
function withoutSetOutside(recorded: KeyOutputs): KeyOutputs {
  const { setOutside = [] } = recorded;
  return Object.fromEntries(
    Object.entries(recorded).filter(([name]) => !setOutside.some((attribute) => attribute === name)),
  ) as KeyOutputs;
}

/** The operations where they are not what the program says or, where it says nothing, what the server gave. */
function observedKeyOps(recorded: KeyOutputs, { keyOps, keyType }: KeyBundle): string[] | undefined {
  const { keyOps: declared, givenKeyOps } = recorded;
  if (keyOps === undefined) return declared;
  if (declared !== undefined) return sameSet(declared, keyOps) ? declared : [...keyOps].sort();
  const isGiven = givenKeyOps === undefined ? isGivenKeyOps(keyType, keyOps) : sameSet(givenKeyOps, keyOps);
  return isGiven ? undefined : [...keyOps].sort();
}

function isExpiryOfService({ expiresOn, rotationPolicy, keyOps }: KeyOutputs, bundle: KeyBundle): boolean {
  if (expiresOn !== undefined || bundle.expiresOn === undefined) return false;
  if (isExchangeKeyExpiry({ ...(keyOps ? { keyOps } : {}) }, bundle)) return true;
  return rotationPolicy !== undefined && isPolicyExpiry(rotationPolicy, bundle.createdOn, bundle.expiresOn);
}

function assign<K extends keyof KeyAttributes>(
  attributes: KeyAttributes,
  attribute: K,
  value: KeyAttributes[K] | undefined,
): void {
  if (value === undefined) delete attributes[attribute];
  else attributes[attribute] = value;
}

const OPTIONS = [
  "vaultUrl",
  "name",
  "generate",
  "restore",
  "adopt",
  "hardwareProtected",
  "exportable",
  "onDelete",
  "ifSoftDeleted",
  "previousVersions",
  "timeouts",
  "credential",
] as const;
