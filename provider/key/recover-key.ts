import type { KeyVaultClient } from "../keyvault/client.js";
import type { OperationDeadline } from "../object/operation-deadline.js";
import { recoverObject } from "../object/recover-object.js";
import { keyObject } from "../object/vault-object.js";
import { pickAttributes } from "./key-attributes.js";
import type { KeyInputs } from "./key-inputs.js";
import { isSameMaterial, writeVersion } from "./key-writes.js";
import { adopted, convergeable, type MadeKey, verifyKind, verifyMaterial } from "./takeover.js";

/**
 * Brings back the soft-deleted key that holds the name, and makes it what the program says: a version of the
 * program's material if it had another, and the program's attributes, since recovering brings back the old ones.
 */
export async function recoverKey(
  client: KeyVaultClient,
  inputs: KeyInputs,
  cause: unknown,
  deadline: OperationDeadline,
): Promise<MadeKey> {
  const bundle = await recoverObject(keyObject(client, inputs, deadline), deadline, {
    ifSoftDeleted: inputs.ifSoftDeleted,
    cause,
    verify: (deleted) => {
      verifyKind(inputs, deleted);
      if (inputs.adopt && inputs.thumbprint !== undefined) verifyMaterial(inputs, deleted);
    },
  });
  if (inputs.adopt || inputs.restore !== undefined) return adopted(inputs, bundle);
  const hasMaterial = inputs.thumbprint !== undefined && isSameMaterial(bundle, inputs.thumbprint);
  if (hasMaterial) return convergeable(client, inputs, bundle, deadline);
  const version = await writeVersion(client, inputs, pickAttributes(inputs), bundle.version, deadline);
  return { bundle: version, marks: {}, isComplete: true };
}
