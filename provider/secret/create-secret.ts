import { tellIfUnpurgeable } from "../delete-object.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { PartialFailure, type Properties } from "../lifecycle.js";
import { objectId } from "../object-address.js";
import { Patience } from "../patience.js";
import { recoverObject } from "../recover-object.js";
import { restoredUnderOtherName, restoreObject } from "../restore-object.js";
import { isRestoredVersion } from "../restore-source.js";
import { vaultClient } from "../vault-access.js";
import { secretObject } from "../vault-object.js";
import {
  CLEARED_BY_VERSION,
  differingSecretAttributes,
  observedSecretAttributes,
  pickSecretAttributes,
  secretOutputs,
  undeclaredSecretAttributes,
} from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs } from "./secret-inputs.js";
import { hasValue, patchSecret, writeSecretVersion } from "./secret-writes.js";

/** A secret as it is before its attributes are converged, and what state has to remember of where it came from. */
interface MadeSecret {
  bundle: SecretBundle;
  marks: Partial<SecretFacts>;
  /** Everything was sent with the version itself: there is nothing left to converge. */
  isComplete: boolean;
}

/** Creates a secret, once: looks before it writes, and never adds a version to a secret that this stack does not own. */
export async function createSecret(properties: Properties): Promise<{ id: string; outs: Properties }> {
  const inputs = properties as unknown as SecretInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const patience = new Patience(inputs.timeouts?.create);
  const made = await takeOrMake(client, inputs, patience);
  return finish(client, inputs, made, patience);
}

/** While the name is being deleted or recovered it is looked at again: what comes back may be somebody else's secret. */
async function takeOrMake(client: KeyVaultClient, inputs: SecretInputs, patience: Patience): Promise<MadeSecret> {
  const secret = secretObject(client, inputs, patience);
  for (;;) {
    const existing = await secret.current();
    if (existing) return takeOver(client, inputs, existing, patience);
    try {
      return await make(client, inputs, patience);
    } catch (error) {
      if (!isKeyVaultError(error, "KV_BUSY")) throw error;
      await patience.pause(`${secret.label} to be free`, error);
    }
  }
}

async function make(client: KeyVaultClient, inputs: SecretInputs, patience: Patience): Promise<MadeSecret> {
  if (inputs.restore !== undefined) return restore(client, inputs, inputs.restore, patience);
  try {
    if (inputs.adopt) return await adoptDeleted(client, inputs, patience);
    return await written(client, inputs, pickSecretAttributes(inputs), undefined, patience);
  } catch (error) {
    if (!isKeyVaultError(error, "KV_DELETED_RECOVERABLE") || inputs.adopt) throw error;
    return recover(client, inputs, error, patience);
  }
}

async function takeOver(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  patience: Patience,
): Promise<MadeSecret> {
  if (bundle.managed) throw secretOfCertificate(inputs);
  if (inputs.adopt) return adopted(client, inputs, bundle, patience);
  if (await hasValue(inputs, bundle)) return convergeable(client, inputs, bundle, patience);
  if (isRestoredVersion(inputs.restore, bundle.version)) return adopted(client, inputs, bundle, patience);
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `create secret "${inputs.name}" in ${inputs.vaultUrl} was refused: the vault already holds a ${
      bundle.value === undefined ? "disabled secret" : "secret"
    } of that name, and this stack does not own it`,
    { hint: "choose another name, or set adopt: true to manage the secret that is there" },
  );
}

async function adoptDeleted(client: KeyVaultClient, inputs: SecretInputs, patience: Patience): Promise<MadeSecret> {
  const secret = secretObject(client, inputs, patience);
  if (await secret.deleted()) return recover(client, inputs, undefined, patience);
  throw new KeyVaultError("KV_NOT_FOUND", `adopt ${secret.label} failed: there is no such secret`, {
    hint: "check the name, or give the secret a value",
  });
}

async function recover(
  client: KeyVaultClient,
  inputs: SecretInputs,
  cause: unknown,
  patience: Patience,
): Promise<MadeSecret> {
  const { ifSoftDeleted } = inputs;
  const bundle = await recoverObject(secretObject(client, inputs, patience), patience, { ifSoftDeleted, cause });
  if (inputs.adopt) return adopted(client, inputs, bundle, patience);
  if (await hasValue(inputs, bundle)) return convergeable(client, inputs, bundle, patience);
  return written(client, inputs, pickSecretAttributes(inputs), bundle.version, patience);
}

async function restore(
  client: KeyVaultClient,
  inputs: SecretInputs,
  digest: string,
  patience: Patience,
): Promise<MadeSecret> {
  const { vaultUrl, name, ifSoftDeleted } = inputs;
  const secret = secretObject(client, inputs, patience);
  const bundle = await restoreObject(secret, digest, patience, (cause) =>
    recoverObject(secret, patience, { ifSoftDeleted, cause }),
  );
  if (bundle.name.toLowerCase() === name.toLowerCase()) return adopted(client, inputs, bundle, patience);
  const actual = { ...inputs, name: bundle.name };
  throw new PartialFailure(
    objectId("secrets", actual),
    secretOutputs(actual, bundle),
    restoredUnderOtherName("secret", vaultUrl, bundle.name, name),
  );
}

/** A secret that keeps what the program leaves out, its value included. */
async function adopted(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  patience: Patience,
): Promise<MadeSecret> {
  const declared = pickSecretAttributes(inputs);
  const found = undeclaredSecretAttributes(observedSecretAttributes(bundle), declared);
  const marks = found ? { found } : {};
  if (inputs.valueDigest === undefined || (await hasValue(inputs, bundle))) return { bundle, marks, isComplete: false };
  return { ...(await written(client, inputs, { ...found, ...declared }, bundle.version, patience)), marks };
}

/** A secret that already has the value. What a PATCH cannot clear needs one more version. */
async function convergeable(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  patience: Patience,
): Promise<MadeSecret> {
  const current = observedSecretAttributes(bundle);
  const mustClear = CLEARED_BY_VERSION.some(
    (attribute) => current[attribute] !== undefined && inputs[attribute] === undefined,
  );
  if (!mustClear) return { bundle, marks: {}, isComplete: false };
  return written(client, inputs, pickSecretAttributes(inputs), bundle.version, patience);
}

async function written(
  client: KeyVaultClient,
  inputs: SecretInputs,
  attributes: SecretAttributes,
  before: string | undefined,
  patience: Patience,
): Promise<MadeSecret> {
  const bundle = await writeSecretVersion(client, inputs, attributes, before, patience);
  return { bundle, marks: {}, isComplete: true };
}

/** Converges attributes. From here on the secret exists, whatever fails. */
async function finish(
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
      if (differing.length > 0) bundle = await patchSecret(client, inputs, bundle.version, target, differing, patience);
    }
  } catch (error) {
    const { enabled: _e, notBefore: _n, expiresOn: _x, contentType: _c, tags: _t, ...rest } = inputs;
    const reached = { ...rest, ...observedSecretAttributes(bundle) };
    throw new PartialFailure(id, secretOutputs(reached, bundle, made.marks), error);
  }
  tellIfUnpurgeable("secret", inputs, bundle.recoveryLevel);
  return { id, outs: secretOutputs(inputs, bundle, made.marks) };
}

export function secretOfCertificate(inputs: { name: string; vaultUrl: string }): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `secret "${inputs.name}" in ${inputs.vaultUrl} belongs to the certificate of the same name: only the certificate can change or delete it`,
    { hint: "manage the certificate instead, or choose another name" },
  );
}
