import { parseTimeout } from "../engine/duration.js";
import type { Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { publicThumbprint } from "../material/thumbprint.js";
import { tellGone } from "../object/deletion-report.js";
import { missingObject } from "../object/missing-object.js";
import { ifPresent } from "../object/operation-deadline.js";
import { expectSealed } from "../object/pending-material.js";
import { keyObject } from "../object/vault-object.js";
import { addressOfId, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { observedAttributes, pickAttributes, sameAttribute } from "./key-attributes.js";
import type { KeyAttributes, KeyFacts, KeyInputs, KeyOutputs } from "./key-inputs.js";
import { keyOutputs } from "./key-outputs.js";
import { explainsVersion, observedRotationPolicy } from "./rotation-policy.js";

/**
 * Reads a key with one request (two where the program has a rotation policy), and tells per property what left the
 * recorded state. Only the vault's own 404 means that a key is gone: any other failure is an error.
 */
export async function readKey(
  id: string,
  props: Properties,
): Promise<{ id: string; props: Properties; inputs?: Properties }> {
  const recorded = props as unknown as Partial<KeyOutputs>;
  const address = keyAddress(id, recorded);
  const client = await vaultClient(address.vaultUrl);
  const budget = recorded.timeouts?.read && parseTimeout(recorded.timeouts.read);
  const bundle = await ifPresent(client.getKey(address.name, undefined, budget ? { timeoutMs: budget } : {}));
  if (!bundle) {
    const object = keyObject(client, address);
    await tellGone(object);
    if (recorded.name === undefined) throw missingObject(object);
    return { id: "", props: {} };
  }
  if (recorded.version === undefined) return adoptedById(id, address, bundle);
  const { inputs, marks } = await observe(client, recorded as KeyOutputs, bundle);
  return {
    id,
    props: keyOutputs(withoutVersion(inputs), bundle, marks) as unknown as Properties,
    inputs: inputs as unknown as Properties,
  };
}

function keyAddress(id: string, recorded: Partial<KeyInputs>): { vaultUrl: string; name: string } {
  if (recorded.vaultUrl !== undefined && recorded.name !== undefined) {
    return { vaultUrl: recorded.vaultUrl, name: recorded.name };
  }
  return { ...addressOfId("keys", id), ...(recorded.vaultUrl === undefined ? {} : { vaultUrl: recorded.vaultUrl }) };
}

/** `Key.get`: state knows nothing of the key but where it is. */
function adoptedById(id: string, address: { vaultUrl: string; name: string }, bundle: KeyBundle) {
  const inputs = { ...address, ...observedAttributes(bundle) };
  return { id, props: keyOutputs(inputs, bundle) as unknown as Properties, inputs: { ...address } as Properties };
}

/** The inputs of a key with a foreign version also carry that version, which the program's do not. */
type ObservedInputs = KeyInputs & { version?: string };

function withoutVersion(inputs: ObservedInputs): KeyInputs {
  const { version: _version, ...rest } = inputs;
  return rest;
}

async function observe(
  client: KeyVaultClient,
  recorded: KeyOutputs,
  bundle: KeyBundle,
): Promise<{ inputs: ObservedInputs; marks: Partial<KeyFacts> }> {
  const marks: Partial<KeyFacts> = recorded.found ? { found: recorded.found } : {};
  const material = await observeVersion(client, recorded, bundle);
  if (material.isRotated) marks.rotated = true;
  if (material.isForeign) marks.foreignVersion = true;
  if (material.expected !== undefined) {
    marks.expectedThumbprint = material.expected;
    expectSealed(objectId("keys", recorded), material.expected);
  }

  const options = keepOptions(recorded);
  const attributes = declaredAttributes(recorded, bundle, material.isRotated);
  const rotationPolicy =
    recorded.rotationPolicy === undefined
      ? undefined
      : observedRotationPolicy(await client.getKeyRotationPolicy(recorded.name), recorded.rotationPolicy);
  return {
    marks,
    inputs: {
      ...options,
      ...attributes,
      ...(material.thumbprint === undefined ? {} : { thumbprint: material.thumbprint }),
      ...(material.isForeign ? { version: bundle.version } : {}),
      ...(rotationPolicy ? { rotationPolicy } : {}),
    },
  };
}

interface ObservedVersion {
  thumbprint: string | undefined;
  /** What the material was to be, where it is another. */
  expected?: string;
  isRotated: boolean;
  isForeign: boolean;
}

/** The material of a version never changes, so only a version that state does not know can be another key. */
async function observeVersion(
  client: KeyVaultClient,
  recorded: KeyOutputs,
  bundle: KeyBundle,
): Promise<ObservedVersion> {
  const { thumbprint, expectedThumbprint } = recorded;
  if (bundle.version === recorded.version) {
    return {
      thumbprint,
      ...(expectedThumbprint === undefined ? {} : { expected: expectedThumbprint }),
      isRotated: recorded.rotated === true,
      isForeign: recorded.foreignVersion === true,
    };
  }
  if (await isRotation(client, recorded, bundle)) return { thumbprint, isRotated: true, isForeign: false };
  const observed = publicThumbprint(bundle.publicKey);
  if (thumbprint !== undefined && observed !== undefined && observed !== thumbprint) {
    return {
      thumbprint: observed,
      expected: expectedThumbprint ?? thumbprint,
      isRotated: false,
      isForeign: false,
    };
  }
  return { thumbprint, isRotated: false, isForeign: true };
}

async function isRotation(client: KeyVaultClient, recorded: KeyOutputs, bundle: KeyBundle): Promise<boolean> {
  if (recorded.rotationPolicy !== undefined) return explainsVersion(recorded.rotationPolicy, recorded, bundle);
  try {
    const policy = observedRotationPolicy(await client.getKeyRotationPolicy(recorded.name), {});
    return policy !== undefined && explainsVersion(policy, recorded, bundle);
  } catch (error) {
    // A reader without the permission for policies, or a server without them, cannot explain the version.
    if (isKeyVaultError(error) && ["KV_FORBIDDEN", "KV_NOT_FOUND", "KV_INVALID_INPUT"].includes(error.code))
      return false;
    throw error;
  }
}

/** Attributes in the form of the program's: what it leaves out and adoption found stays out as long as it is unchanged. */
function declaredAttributes(recorded: KeyOutputs, bundle: KeyBundle, isRotated: boolean): KeyAttributes {
  const observed = observedAttributes(bundle);
  const declared = pickAttributes(recorded);
  const attributes: KeyAttributes = { ...observed };
  if (bundle.keyOps === undefined || (declared.keyOps && sameAttribute("keyOps", declared.keyOps, bundle.keyOps))) {
    assign(attributes, "keyOps", declared.keyOps);
  }
  if (sameAttribute("releasePolicy", declared.releasePolicy, observed.releasePolicy)) {
    assign(attributes, "releasePolicy", declared.releasePolicy);
  }
  for (const attribute of Object.keys(recorded.found ?? {}) as (keyof KeyAttributes)[]) {
    if (
      declared[attribute] === undefined &&
      sameAttribute(attribute, recorded.found?.[attribute], observed[attribute])
    ) {
      delete attributes[attribute];
    }
  }
  const policySetsExpiry = recorded.rotationPolicy?.expireAfter !== undefined && declared.expiresOn === undefined;
  if (isRotated || policySetsExpiry) assign(attributes, "expiresOn", declared.expiresOn);
  return attributes;
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
  "timeouts",
] as const;

function keepOptions(recorded: KeyOutputs): KeyInputs {
  return pickDefined(recorded, OPTIONS);
}
