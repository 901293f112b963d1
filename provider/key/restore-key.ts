import type { KeyVaultClient } from "../keyvault/client.js";
import { PartialFailure, type Properties } from "../lifecycle.js";
import { objectId } from "../object-address.js";
import type { Patience } from "../patience.js";
import { recoverObject } from "../recover-object.js";
import { restoredUnderOtherName, restoreObject } from "../restore-object.js";
import { keyObject } from "../vault-object.js";
import type { KeyInputs } from "./key-inputs.js";
import { keyOutputs } from "./key-outputs.js";
import { adopted, type MadeKey } from "./made-key.js";

/** Restores a key; the attributes that the program leaves out stay as they were backed up. */
export async function restoreKey(
  client: KeyVaultClient,
  inputs: KeyInputs,
  digest: string,
  patience: Patience,
): Promise<MadeKey> {
  const { vaultUrl, name, ifSoftDeleted } = inputs;
  const key = keyObject(client, inputs, patience);
  const bundle = await restoreObject(key, digest, patience, (cause) =>
    recoverObject(key, patience, { ifSoftDeleted, cause }),
  );
  if (bundle.name.toLowerCase() === name.toLowerCase()) return adopted(inputs, bundle);
  const actual = { ...inputs, name: bundle.name };
  throw new PartialFailure(
    objectId("keys", actual),
    keyOutputs(actual, bundle) as unknown as Properties,
    restoredUnderOtherName("key", vaultUrl, bundle.name, name),
  );
}
