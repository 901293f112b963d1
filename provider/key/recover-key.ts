import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { ifPresent, type Patience } from "../patience.js";
import { pickAttributes } from "./key-attributes.js";
import type { KeyInputs } from "./key-inputs.js";
import { isSameMaterial, writeVersion } from "./key-writes.js";
import { adopted, convergeable, type MadeKey, verifyKind, verifyMaterial } from "./made-key.js";

/**
 * Brings back the soft-deleted key that holds the name, and makes it what the program says: a version of the
 * program's material if it had another, and the program's attributes, since recovering brings back the old ones.
 */
export async function recoverKey(
  client: KeyVaultClient,
  inputs: KeyInputs,
  cause: unknown,
  patience: Patience,
): Promise<MadeKey> {
  const key = `key "${inputs.name}" in ${inputs.vaultUrl}`;
  if (inputs.ifSoftDeleted === "fail") {
    throw new KeyVaultError("KV_DELETED_RECOVERABLE", `create ${key} was refused: a soft-deleted key holds the name`, {
      hint: "leave ifSoftDeleted out to recover it, purge it, or choose another name",
      cause,
    });
  }
  const deleted = await patience.until(`${key} to be deleted`, () => ifPresent(client.getDeletedKey(inputs.name)));
  verifyKind(inputs, deleted);
  if (inputs.adopt && inputs.thumbprint !== undefined) verifyMaterial(inputs, deleted);
  await recover(client, inputs.name, key, patience);
  const bundle = await patience.until(`the recovery of ${key}`, () => ifPresent(client.getKey(inputs.name)));

  if (inputs.adopt || inputs.restore !== undefined) return adopted(inputs, bundle);
  const hasMaterial = inputs.thumbprint !== undefined && isSameMaterial(bundle, inputs.thumbprint);
  if (hasMaterial) return convergeable(client, inputs, bundle, patience);
  // The name stays busy for a while after the key can be read again: writeVersion waits that out.
  const version = await writeVersion(client, inputs, pickAttributes(inputs), bundle.version, patience);
  return { bundle: version, marks: {}, isComplete: true };
}

/** Recovering what somebody else is recovering, or has recovered, at the same time is no failure. */
async function recover(client: KeyVaultClient, name: string, key: string, patience: Patience): Promise<void> {
  try {
    await patience.whileBusy(`the deletion of ${key} to end`, () => client.recoverDeletedKey(name));
  } catch (error) {
    if (!isKeyVaultError(error) || !(error.mayHaveHappened || error.code === "KV_CONFLICT" || error.status === 400)) {
      throw error;
    }
    const isBack = await ifPresent(client.getKey(name));
    if (!isBack && !error.mayHaveHappened) throw error;
  }
}
