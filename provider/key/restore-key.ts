import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { PartialFailure, type Properties } from "../lifecycle.js";
import { objectId } from "../object-address.js";
import { ifPresent, type Patience } from "../patience.js";
import { isRestoredVersion } from "../restore-source.js";
import type { KeyInputs } from "./key-inputs.js";
import { keyOutputs } from "./key-outputs.js";
import { adopted, type MadeKey } from "./made-key.js";
import { recoverKey } from "./recover-key.js";

/**
 * Restores a key with all its versions from a backup. The service keeps the name and the version ids, and restores
 * all or nothing; the attributes that the program leaves out stay as they were backed up.
 */
export async function restoreKey(
  client: KeyVaultClient,
  inputs: KeyInputs,
  blob: string | undefined,
  patience: Patience,
): Promise<MadeKey> {
  const key = `key "${inputs.name}" in ${inputs.vaultUrl}`;
  if (blob === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `restore ${key} failed: the backup blob is not at hand`, {
      hint: "run the program that names the backup again",
    });
  }
  for (;;) {
    try {
      const bundle = await patience.whileBusy(`${key} to be free`, () => client.restoreKey(blob));
      if (bundle.name.toLowerCase() !== inputs.name.toLowerCase()) throw otherName(inputs, bundle);
      return adopted(inputs, bundle);
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.code === "KV_CONFLICT" || error.mayHaveHappened)) throw error;
      const found = await ifPresent(client.getKey(inputs.name));
      if (found && error.mayHaveHappened) return adopted(inputs, found);
      if (found) throw taken(inputs, error);
      const deleted = await ifPresent(client.getDeletedKey(inputs.name));
      if (deleted && isRestoredVersion(inputs.restore, deleted.version)) {
        return recoverKey(client, inputs, error, patience);
      }
      if (deleted) throw softDeleted(inputs, error);
      // Neither there nor deleted: a purge of the same name has not ended yet, which takes the service up to minutes.
      await patience.pause(`the purge of the former ${key} to end`, error);
    }
  }
}

function taken(inputs: KeyInputs, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `restore key "${inputs.name}" in ${inputs.vaultUrl} was refused: the vault holds a key of that name, and a restore never overwrites`,
    { hint: "delete and purge that key, set adopt: true to manage it, or restore into another vault", cause },
  );
}

function softDeleted(inputs: KeyInputs, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_DELETED_RECOVERABLE",
    `restore key "${inputs.name}" in ${inputs.vaultUrl} was refused: a soft-deleted key holds the name`,
    { hint: "purge it, or set adopt: true to recover and manage it", cause },
  );
}

function otherName(inputs: KeyInputs, bundle: KeyBundle): PartialFailure {
  const actual = { ...inputs, name: bundle.name };
  return new PartialFailure(
    objectId("keys", actual),
    keyOutputs(actual, bundle) as unknown as Properties,
    new KeyVaultError(
      "KV_INVALID_INPUT",
      `the backup that was restored into ${inputs.vaultUrl} is of key "${bundle.name}", and the program names it "${inputs.name}"; the restored key is recorded under its own name`,
      { hint: `set name: "${bundle.name}"` },
    ),
  );
}
