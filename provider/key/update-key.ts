import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { materialFor } from "../object/pending-material.js";
import { vaultClient } from "../vault/vault-access.js";
import { differingAttributes, pickAttributes, sameAttribute, undeclaredAttributes } from "./key-attributes.js";
import type { KeyAttributes, KeyFacts, KeyInputs, KeyOutputs } from "./key-inputs.js";
import { keyOutputs, recordedThumbprint } from "./key-outputs.js";
import { isPublicThumbprint, patchAttributes, writeVersion } from "./key-writes.js";
import { wireRotationPolicy } from "./rotation-policy.js";

/**
 * Brings a key from its recorded state to the program's: one request for a new version, or one for changed
 * attributes, one for a changed rotation policy, and none where only behaviour options changed.
 */
export async function updateKey(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const recorded = olds as unknown as KeyOutputs;
  const inputs = news as unknown as KeyInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const deadline = new OperationDeadline(inputs.timeouts?.update);
  const found = stillFound(recorded, inputs);
  const target: KeyAttributes = { ...found, ...pickAttributes(inputs) };
  const marks: Partial<KeyFacts> = found ? { found } : {};

  let bundle: KeyBundle | undefined;
  try {
    bundle = await writeKey(client, recorded, inputs, target, deadline);
    if (!bundle && recorded.rotated) marks.rotated = true;
    await updateRotationPolicy(client, recorded, inputs, deadline);
  } catch (error) {
    if (!bundle) throw error;
    const { rotationPolicy: _unchanged, ...reached } = inputs;
    throw new PartialFailure(id, keyOutputs(reached, bundle, marks) as unknown as Properties, error);
  }
  const outs = bundle ? keyOutputs(inputs, bundle, marks) : { ...factsOf(recorded), ...inputs, ...marks };
  return { outs: outs as unknown as Properties };
}

/** The request that the change needs; undefined where it needs none. */
async function writeKey(
  client: KeyVaultClient,
  recorded: KeyOutputs,
  inputs: KeyInputs,
  target: KeyAttributes,
  deadline: OperationDeadline,
): Promise<KeyBundle | undefined> {
  const differing = differingAttributes(currentAttributes(recorded), target);
  if (recorded.rotated && sameAttribute("expiresOn", recorded.expiresOn, inputs.expiresOn)) delete differing.expiresOn;
  const cleared = (["expiresOn", "notBefore"] as const).filter(
    (attribute) => differing[attribute] && target[attribute] === undefined && !isSetByPolicy(attribute, inputs),
  );
  if (needsVersion(recorded, inputs) || cleared.length > 0) {
    if (cleared.length > 0) mustBeAbleToClear(inputs, cleared);
    return writeVersion(client, inputs, target, recorded.version, deadline);
  }
  for (const attribute of ["expiresOn", "notBefore"] as const) {
    if (target[attribute] === undefined) delete differing[attribute];
  }
  if (Object.keys(differing).length === 0) return undefined;
  return patchAttributes(client, inputs, recorded, target, differing, deadline);
}

function needsVersion(recorded: KeyOutputs, inputs: KeyInputs): boolean {
  const { thumbprint, generate } = inputs;
  if (thumbprint !== undefined) {
    if (thumbprint !== recorded.thumbprint && thumbprint !== recordedThumbprint(recorded)) return true;
    // Where the vault's key cannot be compared, a version that somebody else made has to be taken for another key.
    if (recorded.foreignVersion && !isPublicThumbprint(thumbprint)) return true;
    return recorded.hardwareProtected !== inputs.hardwareProtected || recorded.exportable !== inputs.exportable;
  }
  if (generate === undefined) return false;
  return (
    recorded.foreignVersion === true ||
    (recorded.generate !== undefined && differsIn(recorded.generate, generate)) ||
    recorded.hardwareProtected !== inputs.hardwareProtected ||
    recorded.exportable !== inputs.exportable
  );
}

function differsIn(a: NonNullable<KeyInputs["generate"]>, b: NonNullable<KeyInputs["generate"]>): boolean {
  const keepers = (keeper: Record<string, string> | undefined): string =>
    JSON.stringify(Object.entries(keeper ?? {}).sort(([x], [y]) => (x < y ? -1 : 1)));
  return (
    a.keyType !== b.keyType ||
    Number(a.keySize ?? 0) !== Number(b.keySize ?? 0) ||
    a.curve !== b.curve ||
    keepers(a.keepers) !== keepers(b.keepers)
  );
}

/** With a policy that sets the expiry of new versions, a program without `expiresOn` leaves it to the policy. */
function isSetByPolicy(attribute: "expiresOn" | "notBefore", inputs: KeyInputs): boolean {
  return attribute === "expiresOn" && inputs.rotationPolicy !== undefined;
}

function mustBeAbleToClear(inputs: KeyInputs, cleared: readonly string[]): void {
  if (inputs.generate !== undefined) return;
  if (inputs.thumbprint !== undefined && materialFor(inputs.thumbprint)) return;
  throw new KeyVaultError(
    "KV_INVALID_INPUT",
    `${cleared.join(" and ")} of key "${inputs.name}" in ${inputs.vaultUrl} cannot be removed: the service can only move it, and only a new version is without it`,
    { hint: "run with the key material at hand, which makes a new version from it, or set a later moment" },
  );
}

async function updateRotationPolicy(
  client: KeyVaultClient,
  recorded: KeyOutputs,
  inputs: KeyInputs,
  deadline: OperationDeadline,
): Promise<void> {
  const before = JSON.stringify(wireRotationPolicy(recorded.rotationPolicy, client.plane));
  const after = wireRotationPolicy(inputs.rotationPolicy, client.plane);
  if (before !== JSON.stringify(after)) {
    await client.updateKeyRotationPolicy(inputs.name, after, deadline.call);
  }
}

/** What adoption found and the program still leaves out. */
function stillFound(recorded: KeyOutputs, inputs: KeyInputs): KeyAttributes | undefined {
  return recorded.found && undeclaredAttributes(recorded.found, pickAttributes(inputs));
}

/** The vault's attributes by the last look at it: recorded ones, and found ones that did not change. */
function currentAttributes(recorded: KeyOutputs): KeyAttributes {
  return { ...recorded.found, ...pickAttributes(recorded) };
}

const FACTS = [
  "version",
  "keyType",
  "publicKey",
  "createdOn",
  "updatedOn",
  "recoveryLevel",
  "recoverableDays",
] as const;

function factsOf(recorded: KeyOutputs): Partial<KeyFacts> {
  return pickDefined(recorded, FACTS);
}
