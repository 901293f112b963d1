import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import type { OperationDeadline } from "../object/operation-deadline.js";
import { recoverObject } from "../object/recover-object.js";
import { restoredUnderOtherName, restoreObject } from "../object/restore-object.js";
import { keyObject } from "../object/vault-object.js";
import { objectId } from "../vault/object-address.js";
import type { KeyInputs } from "./key-inputs.js";
import { keyOutputs } from "./key-outputs.js";
import { adopted, type MadeKey } from "./takeover.js";

/** Restores a key; the attributes that the program leaves out stay as they were backed up. */
export async function restoreKey(
  client: KeyVaultClient,
  inputs: KeyInputs,
  digest: string,
  deadline: OperationDeadline,
): Promise<MadeKey> {
  const { vaultUrl, name, ifSoftDeleted } = inputs;
  const key = keyObject(client, inputs, deadline);
  const bundle = await restoreObject(key, digest, deadline, (cause) =>
    recoverObject(key, deadline, { ifSoftDeleted, cause }),
  );
  if (bundle.name.toLowerCase() === name.toLowerCase()) return adopted(inputs, bundle);
  const actual = { ...inputs, name: bundle.name };
  throw new PartialFailure(
    objectId("keys", actual),
    keyOutputs(actual, bundle) as unknown as Properties,
    restoredUnderOtherName("key", vaultUrl, bundle.name, name),
  );
}
