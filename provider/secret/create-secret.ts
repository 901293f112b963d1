import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { PartialFailure, type Properties } from "../lifecycle.js";
import { objectId } from "../object-address.js";
import { ifPresent, Patience } from "../patience.js";
import { isRestoredVersion } from "../restore-source.js";
import { blobFor } from "../sealed-material.js";
import { vaultClient } from "../vault-access.js";
import { currentSecretVersion } from "./current-secret-version.js";
import {
  differingSecretAttributes,
  observedSecretAttributes,
  pickSecretAttributes,
  secretOutputs,
  undeclaredSecretAttributes,
} from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs } from "./secret-inputs.js";
import { hasValue, patchSecret, writeSecretVersion } from "./secret-writes.js";

interface MadeSecret {
  bundle: SecretBundle;
  marks: Partial<SecretFacts>;
  isComplete: boolean;
}

/** Creates a secret, once: looks before it writes, and never adds a version to a secret that this stack does not own. */
export async function createSecret(properties: Properties): Promise<{ id: string; outs: Properties }> {
  const inputs = properties as unknown as SecretInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const patience = new Patience(inputs.timeouts?.create);
  const existing = await ifPresent(currentSecretVersion(client, inputs.name));
  const made = existing ? await takeOver(client, inputs, existing, patience) : await make(client, inputs, patience);
  return converge(client, inputs, made, patience);
}

async function make(client: KeyVaultClient, inputs: SecretInputs, patience: Patience): Promise<MadeSecret> {
  if (inputs.restore !== undefined) return restore(client, inputs, patience);
  try {
    if (inputs.adopt) return await recover(client, inputs, undefined, patience);
    return complete(await writeSecretVersion(client, inputs, pickSecretAttributes(inputs), undefined, patience));
  } catch (error) {
    if (!isKeyVaultError(error, "KV_DELETED_RECOVERABLE")) throw error;
    return recover(client, inputs, error, patience);
  }
}

function complete(bundle: SecretBundle): MadeSecret {
  return { bundle, marks: {}, isComplete: true };
}

/** A secret that keeps what the program leaves out. */
function adopted(inputs: SecretInputs, bundle: SecretBundle): MadeSecret {
  const found = undeclaredSecretAttributes(observedSecretAttributes(bundle), pickSecretAttributes(inputs));
  return { bundle, marks: found ? { found } : {}, isComplete: false };
}

async function takeOver(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  patience: Patience,
): Promise<MadeSecret> {
  if (bundle.managed) {
    throw new KeyVaultError(
      "KV_INVALID_INPUT",
      `secret "${inputs.name}" in ${inputs.vaultUrl} belongs to the certificate of the same name: only the certificate can change or delete it`,
      { hint: "manage the certificate instead, or choose another name" },
    );
  }
  const isSame = inputs.valueDigest !== undefined && (await hasValue(inputs, bundle));
  if (inputs.adopt && (inputs.valueDigest === undefined || isSame)) return adopted(inputs, bundle);
  if (inputs.adopt) {
    return complete(await writeSecretVersion(client, inputs, pickSecretAttributes(inputs), bundle.version, patience));
  }
  if (isSame) return convergeable(client, inputs, bundle, patience);
  if (isRestoredVersion(inputs.restore, bundle.version)) return adopted(inputs, bundle);
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `create secret "${inputs.name}" in ${inputs.vaultUrl} was refused: the vault already holds a secret of that name, and this stack does not own it`,
    { hint: "choose another name, or set adopt: true to manage the secret that is there" },
  );
}

/** Content type and moments cannot be cleared by a PATCH: a secret that has them too many gets one more version. */
async function convergeable(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  patience: Patience,
): Promise<MadeSecret> {
  const current = observedSecretAttributes(bundle);
  const mustClear = (["expiresOn", "notBefore", "contentType"] as const).some(
    (attribute) => current[attribute] !== undefined && inputs[attribute] === undefined,
  );
  if (!mustClear) return { bundle, marks: {}, isComplete: false };
  return complete(await writeSecretVersion(client, inputs, pickSecretAttributes(inputs), bundle.version, patience));
}

async function recover(
  client: KeyVaultClient,
  inputs: SecretInputs,
  cause: unknown,
  patience: Patience,
): Promise<MadeSecret> {
  const secret = `secret "${inputs.name}" in ${inputs.vaultUrl}`;
  if (inputs.ifSoftDeleted === "fail") {
    throw new KeyVaultError(
      "KV_DELETED_RECOVERABLE",
      `create ${secret} was refused: a soft-deleted secret holds the name`,
      {
        hint: "leave ifSoftDeleted out to recover it, purge it, or choose another name",
        cause,
      },
    );
  }
  const deleted = await ifPresent(client.getDeletedSecret(inputs.name));
  if (!deleted && inputs.adopt) {
    throw new KeyVaultError("KV_NOT_FOUND", `adopt ${secret} failed: there is no such secret`, {
      hint: "check the name, or give the secret a value",
    });
  }
  await patience.until(`${secret} to be deleted`, () => ifPresent(client.getDeletedSecret(inputs.name)));
  try {
    await patience.whileBusy(`the deletion of ${secret} to end`, () => client.recoverDeletedSecret(inputs.name));
  } catch (error) {
    if (!isKeyVaultError(error) || !(error.mayHaveHappened || error.code === "KV_CONFLICT" || error.status === 400))
      throw error;
    if (!error.mayHaveHappened && !(await ifPresent(currentSecretVersion(client, inputs.name)))) throw error;
  }
  const bundle = await patience.until(`the recovery of ${secret}`, () =>
    ifPresent(currentSecretVersion(client, inputs.name)),
  );
  const isSame = inputs.valueDigest !== undefined && (await hasValue(inputs, bundle));
  if (inputs.restore !== undefined || (inputs.adopt && (inputs.valueDigest === undefined || isSame))) {
    return adopted(inputs, bundle);
  }
  if (isSame) return convergeable(client, inputs, bundle, patience);
  return complete(await writeSecretVersion(client, inputs, pickSecretAttributes(inputs), bundle.version, patience));
}

async function restore(client: KeyVaultClient, inputs: SecretInputs, patience: Patience): Promise<MadeSecret> {
  const secret = `secret "${inputs.name}" in ${inputs.vaultUrl}`;
  const blob = inputs.restore === undefined ? undefined : blobFor(inputs.restore);
  if (blob === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `restore ${secret} failed: the backup blob is not at hand`, {
      hint: "run the program that names the backup again",
    });
  }
  for (;;) {
    try {
      const bundle = await patience.whileBusy(`${secret} to be free`, () => client.restoreSecret(blob));
      if (bundle.name.toLowerCase() === inputs.name.toLowerCase()) return adopted(inputs, bundle);
      const actual = { ...inputs, name: bundle.name };
      throw new PartialFailure(
        objectId("secrets", actual),
        secretOutputs(actual, bundle),
        new KeyVaultError(
          "KV_INVALID_INPUT",
          `the backup that was restored into ${inputs.vaultUrl} is of secret "${bundle.name}", and the program names it "${inputs.name}"; the restored secret is recorded under its own name`,
          { hint: `set name: "${bundle.name}"` },
        ),
      );
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.code === "KV_CONFLICT" || error.mayHaveHappened)) throw error;
      const found = await ifPresent(currentSecretVersion(client, inputs.name));
      if (found && error.mayHaveHappened) return adopted(inputs, found);
      const deleted = found ? undefined : await ifPresent(client.getDeletedSecret(inputs.name));
      if (deleted && isRestoredVersion(inputs.restore, deleted.version))
        return recover(client, inputs, error, patience);
      if (found || deleted) {
        throw new KeyVaultError(
          found ? "KV_ALREADY_EXISTS" : "KV_DELETED_RECOVERABLE",
          `restore ${secret} was refused: ${found ? "the vault holds" : "a soft-deleted secret holds the name;"} ${found ? "a secret of that name, and" : ""} a restore never overwrites`,
          { hint: "purge that secret, set adopt: true to manage it, or restore into another vault", cause: error },
        );
      }
      await patience.pause(`the purge of the former ${secret} to end`, error);
    }
  }
}

async function converge(
  client: KeyVaultClient,
  inputs: SecretInputs,
  made: MadeSecret,
  patience: Patience,
): Promise<{ id: string; outs: Properties }> {
  const id = objectId("secrets", inputs);
  let { bundle } = made;
  try {
    if (!made.isComplete) {
      const target: SecretAttributes = { ...made.marks.found, ...pickSecretAttributes(inputs) };
      const differing = differingSecretAttributes(observedSecretAttributes(bundle), target);
      if (differing.length > 0) bundle = await patchSecret(client, inputs, target, differing, patience);
    }
  } catch (error) {
    const reached = { ...inputs, ...observedSecretAttributes(bundle) };
    throw new PartialFailure(id, secretOutputs(reached, bundle, made.marks), error);
  }
  return { id, outs: secretOutputs(inputs, bundle, made.marks) };
}
