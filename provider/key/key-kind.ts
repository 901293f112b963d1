import type { Properties } from "../engine/lifecycle.js";
import { canonicalJson, pickDefined } from "../engine/normal-form.js";
import type { CallOptions } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import type { ImportKeyParameters } from "../keyvault/key-operations.js";
import type { KeyMaterial } from "../material/key-material.js";
import { publicThumbprint } from "../material/thumbprint.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import type { FoundObject, ObjectKind, ObjectMarks, PatchedVersion } from "../object/object-kind.js";
import { ifPresent } from "../object/operation-deadline.js";
import { type Owner, ownerOf, sourceDigest } from "../object/owner-tag.js";
import { materialFor } from "../object/pending-material.js";
import { markOfRestored } from "../object/restore-source.js";
import type { LookAgain, VaultObject } from "../object/vault-object.js";
import { writeOnce } from "../object/write-once.js";
import { cannotBeRemoved } from "./cannot-be-removed.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";
import {
  DEFAULT_CURVE,
  DEFAULT_KEY_OPS,
  DEFAULT_RSA_SIZE,
  type GenerateInputs,
  isGivenKeyOps,
  isPublicThumbprint,
  type KeyAttributes,
  type KeyFacts,
  type KeyInputs,
  keyFamily,
  normalGenerate,
} from "./key-inputs.js";
import { isHidden, keyObject } from "./key-object.js";
import { keyOutputs } from "./key-outputs.js";
import { rotationPolicyOf } from "./read-rotation-policy.js";
import { observedRotationPolicy, samePolicy, sentRotationPolicy } from "./rotation-policy.js";
import { exchangeKeyFor, readExchangeKey, type WrapWith } from "./wrapped-import.js";

/** What makes a key a key in the life that it shares with secrets. */
export const KEY: ObjectKind<KeyInputs, KeyAttributes, KeyBundle> = {
  noun: "key",
  collection: "keys",
  bind: keyObject,
  attributes: KEY_ATTRIBUTES,
  matches: async (inputs, bundle) => matches(inputs, bundle),
  verify,
  send: sendVersion,
  patch: sendPatch,
  outputs: keyState,
  reached,
  owner: markOf,
  repeatSource,
  complete: completePolicy,
};

async function repeatSource(
  _object: VaultObject<KeyBundle>,
  inputs: KeyInputs,
  _bundle: KeyBundle,
  cleared: readonly (keyof KeyAttributes)[],
): Promise<void> {
  if (!canMakeSameVersion(inputs)) throw cannotBeRemoved(inputs, cleared);
}

export function isSameMaterial(bundle: KeyBundle, thumbprint: string): boolean {
  return publicThumbprint(bundle.publicKey) === thumbprint;
}

function matches(inputs: KeyInputs, bundle: KeyBundle): boolean | undefined {
  if (isHidden(bundle)) return undefined;
  const { thumbprint, generate } = inputs;
  if (isOfOtherKind(inputs, bundle)) return false;
  if (isOfOtherProtection(inputs, bundle)) return false;
  if (thumbprint !== undefined) {
    return isPublicThumbprint(thumbprint) ? isSameMaterial(bundle, thumbprint) : undefined;
  }
  if (generate === undefined) return undefined;
  const source = ownerOf(bundle.tags)?.source;
  return source === undefined ? undefined : source === generateDigest(generate);
}

/** The owner tag of a generated or restored key also says of what it was made: nothing else of it can be compared. */
function markOf(inputs: KeyInputs, owner: Owner | undefined): Owner | undefined {
  if (owner === undefined || inputs.generate === undefined) return markOfRestored(inputs, owner);
  return { ...owner, source: generateDigest(inputs.generate) };
}

function generateDigest(generate: GenerateInputs): string {
  return sourceDigest(canonicalJson(normalGenerate(generate)));
}

function isOfOtherKind(inputs: KeyInputs, bundle: Partial<KeyBundle>): boolean {
  const material = inputs.thumbprint === undefined ? undefined : materialFor(inputs.thumbprint);
  const wanted = inputs.generate?.keyType ?? material?.keyType;
  if (wanted === undefined || bundle.keyType === undefined || bundle.keyType === "") return false;
  const curve = inputs.generate?.curve ?? material?.curve ?? (inputs.generate ? DEFAULT_CURVE : undefined);
  const size = inputs.generate?.keySize ?? material?.keySize ?? (inputs.generate ? DEFAULT_RSA_SIZE : undefined);
  const isRsa = keyFamily(wanted) === "RSA";
  return (
    keyFamily(bundle.keyType) !== keyFamily(wanted) ||
    (curve !== undefined && bundle.curve !== undefined && !sameCurve(curve, bundle.curve)) ||
    (isRsa && size !== undefined && bundle.keySize !== undefined && Number(size) !== bundle.keySize)
  );
}

/** A key in software is not the one in an HSM that the program asks for. */
function isOfOtherProtection(inputs: KeyInputs, { keyType }: KeyBundle): boolean {
  const isInHsm = keyType.endsWith("-HSM");
  return (inputs.hardwareProtected === true || inputs.generate?.keyType.endsWith("-HSM") === true) && !isInHsm;
}

function sameCurve(a: string, b: string): boolean {
  const normal = (curve: string): string => (/^(secp256k1|p-256k)$/i.test(curve) ? "P-256K" : curve);
  return normal(a) === normal(b);
}

/** Refuses to go on with a key of another kind, or to adopt one of other material, before anything is changed. */
function verify(inputs: KeyInputs, bundle: Partial<KeyBundle>, doing: "adopt" | "recover"): void {
  const { name, vaultUrl, thumbprint } = inputs;
  if (doing === "recover") {
    if (!isOfOtherKind(inputs, bundle)) return;
    throw new KeyVaultError(
      "KV_ALREADY_EXISTS",
      `create key "${name}" in ${vaultUrl} was refused: a soft-deleted key of that name is of another kind (${describeKind(bundle)})`,
      { hint: "purge the deleted key, or choose another name" },
    );
  }
  if (bundle.keyType === "") {
    throw new KeyVaultError(
      "KV_FORBIDDEN",
      `adopt key "${name}" in ${vaultUrl} failed: it is disabled, and this server does not show disabled keys`,
      {
        hint: "enable the key, adopt it, and let the program disable it",
      },
    );
  }
  if (thumbprint === undefined || !isPublicThumbprint(thumbprint)) return;
  if (bundle.publicKey && publicThumbprint(bundle.publicKey) === thumbprint) return;
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `adopt key "${name}" in ${vaultUrl} was refused: the key in the vault is not the one that import names`,
    { hint: "leave import out to adopt the key as it is, or choose another name for the imported one" },
  );
}

function describeKind({ keyType, curve, keySize }: Partial<KeyBundle>): string {
  return [keyType, curve, keySize].filter((part) => part !== undefined).join(" ");
}

function sendVersion(
  object: VaultObject<KeyBundle>,
  inputs: KeyInputs,
  attributes: KeyAttributes,
  lookAgain: LookAgain,
): Promise<KeyBundle> {
  const { client, deadline } = object;
  const options = { ...deadline.call, lookAgain };
  const common = { ...wireAttributes(attributes), ...(inputs.exportable ? { exportable: true } : {}) };
  if (inputs.thumbprint !== undefined) {
    const material = materialFor(inputs.thumbprint);
    if (!material) throw materialMissing(inputs);
    const wrapWith = exchangeKeyFor(inputs);
    if (wrapWith !== undefined) return sendWrapped(object, inputs, material, wrapWith, { ...common, options });
    return client.importKey(
      inputs.name,
      {
        key: material.importable,
        ...(inputs.hardwareProtected || material.hardwareOnly ? { hardwareProtected: true } : {}),
        ...common,
      },
      options,
    );
  }
  if (inputs.generate === undefined) throw noSource(inputs);
  const { keyType, keySize, curve } = inputs.generate;
  const making = client.createKey(
    inputs.name,
    {
      keyType: inputs.hardwareProtected && !keyType.endsWith("-HSM") ? `${keyType}-HSM` : keyType,
      ...(keySize === undefined ? {} : { keySize: Number(keySize) }),
      ...(curve === undefined ? {} : { curve }),
      ...common,
    },
    options,
  );
  if (keyFamily(keyType) !== "oct" || client.plane === "managedhsm") return making;
  return making.catch((error: unknown) => {
    throw isKeyVaultError(error, "KV_INVALID_INPUT") ? noSymmetricKeys(object, error) : error;
  });
}

/** What a vault says of it (`Property  has invalid value`) tells nobody anything. */
function noSymmetricKeys({ label, address }: VaultObject<KeyBundle>, refusal: KeyVaultError): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", `create ${label} was refused: this vault makes no symmetric keys`, {
    objectName: address.name,
    status: refusal.status,
    requestId: refusal.requestId,
    hint: "oct-HSM keys are made by a Managed HSM and, in a preview of 2026, by vaults of the premium tier: if this is one, set keyvault:apiVersion to 2026-04-01.",
    cause: refusal,
  });
}

/** Imports material that never crosses the wire but wrapped for the vault. The answer has to show its public half. */
async function sendWrapped(
  object: VaultObject<KeyBundle>,
  { name }: KeyInputs,
  material: KeyMaterial,
  wrapWith: WrapWith,
  { options, ...common }: Omit<ImportKeyParameters, "key"> & { options: CallOptions },
): Promise<KeyBundle> {
  const { wrapForTransfer } = await import("../material/transfer-blob.js");
  const { importable } = wrapForTransfer(material, await readExchangeKey(object, wrapWith));
  const { kty, n, e, x, y } = material.importable;
  const publicKey = { ...(material.curve === undefined ? {} : { crv: material.curve }), kty, n, e, x, y };
  return object.client.importKey(name, { key: importable, publicKey, hardwareProtected: true, ...common }, options);
}

/** Whether a version can be made in this run without other key material than the program's. */
export function canMakeSameVersion(inputs: KeyInputs): boolean {
  return inputs.thumbprint !== undefined && materialFor(inputs.thumbprint) !== undefined;
}

/** The members of a request that carry changeable attributes. */
function wireAttributes(attributes: KeyAttributes) {
  const { enabled, notBefore, expiresOn, keyOps, tags, releasePolicy } = attributes;
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore: new Date(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: new Date(expiresOn) } : {}),
    ...(keyOps ? { keyOps } : {}),
    ...(tags ? { tags } : {}),
    ...(releasePolicy
      ? {
          releasePolicy: {
            contentType: releasePolicy.contentType ?? "application/json; charset=utf-8",
            data: Buffer.from(releasePolicy.data, "utf8").toString("base64url"),
            ...(releasePolicy.immutable ? { immutable: true } : {}),
          },
        }
      : {}),
  };
}

function sendPatch(
  { client, deadline, address }: VaultObject<KeyBundle>,
  { version, keyType = "" }: PatchedVersion,
  changed: readonly (keyof KeyAttributes)[],
  target: KeyAttributes,
): Promise<KeyBundle> {
  const isChanged = (attribute: keyof KeyAttributes): boolean => changed.includes(attribute);
  const { notBefore, expiresOn, releasePolicy } = target;
  const defaultOps = DEFAULT_KEY_OPS[keyFamily(keyType)];
  const keyOps = target.keyOps ?? (defaultOps ? [...defaultOps] : undefined);
  return client.updateKey(
    address.name,
    version,
    {
      ...wireAttributes({
        ...(isChanged("notBefore") && notBefore ? { notBefore } : {}),
        ...(isChanged("expiresOn") && expiresOn ? { expiresOn } : {}),
        ...(isChanged("releasePolicy") && releasePolicy ? { releasePolicy } : {}),
      }),
      ...(isChanged("enabled") ? { enabled: target.enabled ?? true } : {}),
      ...(isChanged("tags") ? { tags: target.tags ?? {} } : {}),
      ...(isChanged("keyOps") && keyOps ? { keyOps } : {}),
    },
    deadline.call,
  );
}

/** A key that was there before is not rotated any more by a policy of then, where the program has none. */
async function completePolicy(
  object: VaultObject<KeyBundle>,
  inputs: KeyInputs,
  { isFound, note }: FoundObject<KeyInputs, KeyAttributes>,
): Promise<void> {
  if (inputs.rotationPolicy === undefined) {
    if (!isFound || leavesRestToVault(inputs)) return;
    const policy = await rotationPolicyOf(object);
    const rotationPolicy = policy && observedRotationPolicy(policy, {});
    if (rotationPolicy === undefined) return;
    note({ inputs: { rotationPolicy } });
  }
  await writeRotationPolicy(object, inputs, () => note({ marks: { uncertainPolicy: true } }));
}

/**
 * Sets the program's rotation policy, or the service's default where it has none. A lost answer is looked for.
 *
 * @param onUncertain told where the policy may be there or come yet. A program that is without it by the next run would
 * not have it in state, and nothing else asks for the policy of a key that is to have none.
 */
export async function writeRotationPolicy(
  object: VaultObject<KeyBundle>,
  inputs: KeyInputs,
  onUncertain: () => void,
): Promise<void> {
  try {
    await sendRotationPolicy(object, inputs);
  } catch (error) {
    if (isKeyVaultError(error) && error.mayHaveHappened) onUncertain();
    throw error;
  }
}

async function sendRotationPolicy(object: VaultObject<KeyBundle>, inputs: KeyInputs): Promise<void> {
  const { client, deadline, label } = object;
  const policy = sentRotationPolicy(inputs.rotationPolicy);
  await deadline.whileBusy<unknown>(`${label} to be free`, () =>
    writeOnce<unknown>({
      what: `the rotation policy of ${label}`,
      deadline,
      send: async () => {
        const answered = await client.updateKeyRotationPolicy(inputs.name, policy, deadline.call);
        if (!samePolicy(answered, inputs.rotationPolicy)) throw answeredForAnother(object);
      },
      look: async () => {
        const found = await ifPresent(client.getKeyRotationPolicy(inputs.name, deadline.call));
        return found && samePolicy(found, inputs.rotationPolicy) ? found : undefined;
      },
    }),
  );
}

/** An answer that an earlier request had, out of a gateway's memory, says nothing of this one. */
function answeredForAnother({ client, address, label }: VaultObject<KeyBundle>): KeyVaultError {
  return new KeyVaultError(
    "KV_PROTOCOL",
    `the answer to writing the rotation policy of ${label} shows another policy than was sent`,
    {
      operation: "updateKeyRotationPolicy",
      vaultUrl: client.vaultUrl,
      objectName: address.name,
      mayHaveHappened: true,
      hint: "check the vault URL and any proxy or gateway in between.",
    },
  );
}

/** What is there where a later step failed: the next `up` sees that the material is another one. */
async function reached(
  inputs: KeyInputs,
  bundle: KeyBundle,
  isMade: boolean,
): Promise<{ inputs: KeyInputs; marks: ObjectMarks<KeyAttributes> }> {
  const { rotationPolicy: _policy, enabled: _e, notBefore: _n, expiresOn: _x, keyOps: _k, tags: _t, ...rest } = inputs;
  const spelled = leavesRestToVault(inputs) ? inputs : pickDefined(inputs, ["keyOps"]);
  const there: KeyInputs = { ...rest, ...KEY_ATTRIBUTES.observed(bundle, spelled) };
  const isSame = matches(inputs, bundle);
  // A key that was recovered, and whose version of the program's source was not made any more, is another one.
  const isToMake = !isMade && !inputs.adopt && (inputs.generate ?? inputs.thumbprint) !== undefined;
  if (isSame === false || (isSame === undefined && isToMake)) {
    const thumbprint = publicThumbprint(bundle.publicKey);
    if (inputs.thumbprint !== undefined && thumbprint !== undefined)
      return { inputs: { ...there, thumbprint }, marks: {} };
    return { inputs: there, marks: { foreignVersion: true, awaitsVersion: true } };
  }
  return { inputs: there, marks: {} };
}

/**
 * What state holds of a key that was just written. Where the program names no operations, what the server gave is the
 * baseline that drift is told against.
 */
export function keyState(inputs: KeyInputs, bundle: KeyBundle, marks: Partial<KeyFacts>): Properties {
  const { keyType, keyOps } = bundle;
  const isGiven = inputs.keyOps === undefined && keyOps !== undefined && !isGivenKeyOps(keyType, keyOps);
  const isLeft = leavesRestToVault(inputs);
  return {
    ...keyOutputs(inputs, bundle, { ...(isGiven && !isLeft ? { givenKeyOps: [...keyOps].sort() } : {}), ...marks }),
  };
}

function noSource({ name, vaultUrl }: KeyInputs): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", `a new version of key "${name}" in ${vaultUrl} would need a source`, {
    hint: "give the key import or generate",
  });
}

function materialMissing({ name, vaultUrl }: KeyInputs): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_KEY_MATERIAL",
    `a new version of key "${name}" in ${vaultUrl} has to be made, and its material is not at hand`,
    { hint: "run where the file or environment variable of `import` is present" },
  );
}
