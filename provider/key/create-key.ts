import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { tellIfUnpurgeable } from "../object/delete-object.js";
import { ifPresent, OperationDeadline } from "../object/operation-deadline.js";
import { isRestoredVersion } from "../object/restore-source.js";
import { objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { differingAttributes, observedAttributes, pickAttributes } from "./key-attributes.js";
import type { KeyAttributes, KeyInputs } from "./key-inputs.js";
import { keyOutputs } from "./key-outputs.js";
import { isPublicThumbprint, isSameMaterial, patchAttributes, writeVersion } from "./key-writes.js";
import { recoverKey } from "./recover-key.js";
import { restoreKey } from "./restore-key.js";
import { wireRotationPolicy } from "./rotation-policy.js";
import { adopted, convergeable, type MadeKey, managedByCertificate, verifyMaterial } from "./takeover.js";

/**
 * Creates a key, once: looks before it writes, takes over what an interrupted run left behind, recovers a
 * soft-deleted key of the name, and never adds a version to a key that this stack does not own.
 */
export async function createKey(properties: Properties): Promise<{ id: string; outs: Properties }> {
  const inputs = properties as unknown as KeyInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const deadline = new OperationDeadline(inputs.timeouts?.create);
  const made = await takeOrMake(client, inputs, deadline);
  return finish(client, inputs, made, deadline);
}

/** While the name is being deleted or recovered it is looked at again: what comes back may be somebody else's key. */
async function takeOrMake(client: KeyVaultClient, inputs: KeyInputs, deadline: OperationDeadline): Promise<MadeKey> {
  for (;;) {
    const existing = await ifPresent(client.getKey(inputs.name, undefined, deadline.call));
    if (existing) return takeOver(client, inputs, existing, deadline);
    try {
      return await make(client, inputs, deadline);
    } catch (error) {
      if (!isKeyVaultError(error, "KV_BUSY")) throw error;
      await deadline.pause(`key "${inputs.name}" in ${inputs.vaultUrl} to be free`, error);
    }
  }
}

async function make(client: KeyVaultClient, inputs: KeyInputs, deadline: OperationDeadline): Promise<MadeKey> {
  if (inputs.restore !== undefined) return restoreKey(client, inputs, inputs.restore, deadline);
  if (inputs.adopt) return adoptDeleted(client, inputs, deadline);
  try {
    const bundle = await writeVersion(client, inputs, pickAttributes(inputs), undefined, deadline);
    return { bundle, marks: {}, isComplete: true };
  } catch (error) {
    if (!isKeyVaultError(error, "KV_DELETED_RECOVERABLE")) throw error;
    return recoverKey(client, inputs, error, deadline);
  }
}

async function takeOver(
  client: KeyVaultClient,
  inputs: KeyInputs,
  bundle: KeyBundle,
  deadline: OperationDeadline,
): Promise<MadeKey> {
  if (bundle.managed) throw managedByCertificate(inputs);
  if (inputs.adopt) {
    if (inputs.thumbprint !== undefined) verifyMaterial(inputs, bundle);
    return adopted(inputs, bundle);
  }
  if (inputs.thumbprint !== undefined && isSameMaterial(bundle, inputs.thumbprint)) {
    return convergeable(client, inputs, bundle, deadline);
  }
  if (isRestoredVersion(inputs.restore, bundle.version)) return adopted(inputs, bundle);
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `create key "${inputs.name}" in ${inputs.vaultUrl} was refused: the vault already holds a key of that name${
      inputs.thumbprint === undefined ? "" : `, ${differs(inputs.thumbprint)}`
    }, and this stack does not own it`,
    { hint: "choose another name, or set adopt: true to manage the key that is there" },
  );
}

function differs(thumbprint: string): string {
  return isPublicThumbprint(thumbprint)
    ? "with other material"
    : "whose material cannot be compared with the program's";
}

async function adoptDeleted(client: KeyVaultClient, inputs: KeyInputs, deadline: OperationDeadline): Promise<MadeKey> {
  const deleted = await ifPresent(client.getDeletedKey(inputs.name, deadline.call));
  if (!deleted) {
    throw new KeyVaultError(
      "KV_NOT_FOUND",
      `adopt key "${inputs.name}" in ${inputs.vaultUrl} failed: there is no such key`,
      {
        hint: "check the name, or give the key a source: import, generate or restore",
      },
    );
  }
  return recoverKey(client, inputs, undefined, deadline);
}

/** Converges attributes and the rotation policy. From here on the key exists, whatever fails. */
async function finish(
  client: KeyVaultClient,
  inputs: KeyInputs,
  made: MadeKey,
  deadline: OperationDeadline,
): Promise<{ id: string; outs: Properties }> {
  let { bundle } = made;
  const id = objectId("keys", inputs);
  try {
    if (!made.isComplete) {
      const target: KeyAttributes = { ...made.marks.found, ...pickAttributes(inputs) };
      const differing = differingAttributes(observedAttributes(bundle), target);
      if (inputs.rotationPolicy !== undefined && inputs.expiresOn === undefined) delete differing.expiresOn;
      if (Object.keys(differing).length > 0) {
        bundle = await patchAttributes(client, inputs, bundle, target, differing, deadline);
      }
    }
    if (inputs.rotationPolicy !== undefined) {
      const policy = wireRotationPolicy(inputs.rotationPolicy, client.plane);
      await client.updateKeyRotationPolicy(inputs.name, policy, deadline.call);
    }
  } catch (error) {
    const reached = { ...inputs, ...clearedAttributes(inputs), ...observedAttributes(bundle) };
    delete reached.rotationPolicy;
    throw new PartialFailure(id, keyOutputs(reached, bundle, made.marks) as unknown as Properties, error);
  }
  tellIfUnpurgeable("key", inputs, bundle.recoveryLevel);
  return { id, outs: keyOutputs(inputs, bundle, made.marks) as unknown as Properties };
}

function clearedAttributes(inputs: KeyInputs): Record<string, undefined> {
  return Object.fromEntries(Object.keys(pickAttributes(inputs)).map((attribute) => [attribute, undefined]));
}
