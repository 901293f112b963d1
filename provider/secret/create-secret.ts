import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { tellIfUnpurgeable } from "../object/delete-object.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { recoverObject } from "../object/recover-object.js";
import { restoredUnderOtherName, restoreObject } from "../object/restore-object.js";
import { isRestoredVersion } from "../object/restore-source.js";
import { secretObject } from "../object/vault-object.js";
import { objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
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
  const deadline = new OperationDeadline(inputs.timeouts?.create);
  const made = await takeOrMake(client, inputs, deadline);
  return finish(client, inputs, made, deadline);
}

/** While the name is being deleted or recovered it is looked at again: what comes back may be somebody else's secret. */
async function takeOrMake(
  client: KeyVaultClient,
  inputs: SecretInputs,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const secret = secretObject(client, inputs, deadline);
  for (;;) {
    const existing = await secret.current();
    if (existing) return takeOver(client, inputs, existing, deadline);
    try {
      return await make(client, inputs, deadline);
    } catch (error) {
      if (!isKeyVaultError(error, "KV_BUSY")) throw error;
      await deadline.pause(`${secret.label} to be free`, error);
    }
  }
}

async function make(client: KeyVaultClient, inputs: SecretInputs, deadline: OperationDeadline): Promise<MadeSecret> {
  if (inputs.restore !== undefined) return restore(client, inputs, inputs.restore, deadline);
  try {
    if (inputs.adopt) return await adoptDeleted(client, inputs, deadline);
    return await written(client, inputs, pickSecretAttributes(inputs), undefined, deadline);
  } catch (error) {
    if (!isKeyVaultError(error, "KV_DELETED_RECOVERABLE") || inputs.adopt) throw error;
    return recover(client, inputs, error, deadline);
  }
}

async function takeOver(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  if (bundle.managed) throw secretOfCertificate(inputs);
  if (inputs.adopt) return adopted(client, inputs, bundle, deadline);
  if (await hasValue(inputs, bundle)) return convergeable(client, inputs, bundle, deadline);
  if (isRestoredVersion(inputs.restore, bundle.version)) return adopted(client, inputs, bundle, deadline);
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `create secret "${inputs.name}" in ${inputs.vaultUrl} was refused: the vault already holds a ${
      bundle.value === undefined ? "disabled secret" : "secret"
    } of that name, and this stack does not own it`,
    { hint: "choose another name, or set adopt: true to manage the secret that is there" },
  );
}

async function adoptDeleted(
  client: KeyVaultClient,
  inputs: SecretInputs,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const secret = secretObject(client, inputs, deadline);
  if (await secret.deleted()) return recover(client, inputs, undefined, deadline);
  throw new KeyVaultError("KV_NOT_FOUND", `adopt ${secret.label} failed: there is no such secret`, {
    hint: "check the name, or give the secret a value",
  });
}

async function recover(
  client: KeyVaultClient,
  inputs: SecretInputs,
  cause: unknown,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const { ifSoftDeleted } = inputs;
  const bundle = await recoverObject(secretObject(client, inputs, deadline), deadline, { ifSoftDeleted, cause });
  if (inputs.adopt) return adopted(client, inputs, bundle, deadline);
  if (await hasValue(inputs, bundle)) return convergeable(client, inputs, bundle, deadline);
  return written(client, inputs, pickSecretAttributes(inputs), bundle.version, deadline);
}

async function restore(
  client: KeyVaultClient,
  inputs: SecretInputs,
  digest: string,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const { vaultUrl, name, ifSoftDeleted } = inputs;
  const secret = secretObject(client, inputs, deadline);
  const bundle = await restoreObject(secret, digest, deadline, (cause) =>
    recoverObject(secret, deadline, { ifSoftDeleted, cause }),
  );
  if (bundle.name.toLowerCase() === name.toLowerCase()) return adopted(client, inputs, bundle, deadline);
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
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const declared = pickSecretAttributes(inputs);
  const found = undeclaredSecretAttributes(observedSecretAttributes(bundle), declared);
  const marks = found ? { found } : {};
  if (inputs.valueDigest === undefined || (await hasValue(inputs, bundle))) return { bundle, marks, isComplete: false };
  return { ...(await written(client, inputs, { ...found, ...declared }, bundle.version, deadline)), marks };
}

/** A secret that already has the value. What a PATCH cannot clear needs one more version. */
async function convergeable(
  client: KeyVaultClient,
  inputs: SecretInputs,
  bundle: SecretBundle,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const current = observedSecretAttributes(bundle);
  const mustClear = CLEARED_BY_VERSION.some(
    (attribute) => current[attribute] !== undefined && inputs[attribute] === undefined,
  );
  if (!mustClear) return { bundle, marks: {}, isComplete: false };
  return written(client, inputs, pickSecretAttributes(inputs), bundle.version, deadline);
}

async function written(
  client: KeyVaultClient,
  inputs: SecretInputs,
  attributes: SecretAttributes,
  before: string | undefined,
  deadline: OperationDeadline,
): Promise<MadeSecret> {
  const bundle = await writeSecretVersion(client, inputs, attributes, before, deadline);
  return { bundle, marks: {}, isComplete: true };
}

/** Converges attributes. From here on the secret exists, whatever fails. */
async function finish(
  client: KeyVaultClient,
  inputs: SecretInputs,
  made: MadeSecret,
  deadline: OperationDeadline,
): Promise<{ id: string; outs: Properties }> {
  const id = objectId("secrets", inputs);
  let { bundle } = made;
  try {
    if (!made.isComplete) {
      const target: SecretAttributes = { ...made.marks.found, ...pickSecretAttributes(inputs) };
      const differing = differingSecretAttributes(observedSecretAttributes(bundle), target);
      if (differing.length > 0) bundle = await patchSecret(client, inputs, bundle.version, target, differing, deadline);
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
