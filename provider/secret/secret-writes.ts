import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { ifPresent, type OperationDeadline } from "../object/operation-deadline.js";
import { secretValueFor } from "../object/pending-material.js";
import { currentSecretVersion } from "./current-secret-version.js";
import type { SecretAttributes, SecretInputs } from "./secret-inputs.js";
import { valueDigest } from "./value-digest.js";

/**
 * Sets the value as a new version, with everything that belongs to it: nothing is inherited. A write whose answer
 * was lost is looked for before anything is sent again.
 *
 * @param before version before the write, undefined where there was none: then a busy name is the caller's to look
 * at, with `KV_BUSY`.
 */
export async function writeSecretVersion(
  client: KeyVaultClient,
  inputs: SecretInputs,
  attributes: SecretAttributes,
  before: string | undefined,
  deadline: OperationDeadline,
): Promise<SecretBundle> {
  const secret = `secret "${inputs.name}" in ${inputs.vaultUrl}`;
  const value = inputs.valueDigest === undefined ? undefined : secretValueFor(inputs.valueDigest);
  if (value === undefined) {
    throw new KeyVaultError(
      "KV_INVALID_INPUT",
      `a new version of ${secret} has to be set, and its value is not at hand`,
      {
        hint: "run where the program has the value",
      },
    );
  }
  for (;;) {
    try {
      const send = () => client.setSecret(inputs.name, { value, ...wireAttributes(attributes) }, deadline.call);
      return await (before === undefined ? send() : deadline.whileBusy(`${secret} to be free`, send));
    } catch (error) {
      const isUncertain = isKeyVaultError(error) && (error.mayHaveHappened || error.code === "KV_CONFLICT");
      if (!isUncertain) throw error;
      for (const isLastLook of [false, true]) {
        const found = await ifPresent(currentSecretVersion(client, inputs.name, deadline.call));
        if (found && found.version !== before) {
          if (found.value === undefined || (await hasValue(inputs, found))) return found;
          throw new KeyVaultError(
            "KV_CONFLICT",
            `the answer to a write of ${secret} was lost, and the vault now holds a version that is not the one sent`,
            { hint: "somebody else writes this secret: run `pulumi refresh` and look at the difference", cause: error },
          );
        }
        if (!isLastLook) await deadline.pause(`${secret}, after the answer to a write was lost`, error);
      }
    }
  }
}

/** Patches the version that is known, so that the named attributes get their target values. */
export function patchSecret(
  client: KeyVaultClient,
  inputs: SecretInputs,
  version: string,
  target: SecretAttributes,
  differing: readonly (keyof SecretAttributes)[],
  deadline: OperationDeadline,
): Promise<SecretBundle> {
  const changed = Object.fromEntries(
    differing.filter((attribute) => target[attribute] !== undefined).map((attribute) => [attribute, target[attribute]]),
  ) as SecretAttributes;
  return deadline.whileBusy(`secret "${inputs.name}" in ${inputs.vaultUrl} to be free`, () =>
    client.updateSecret(
      inputs.name,
      version,
      {
        ...wireAttributes(changed),
        ...(differing.includes("enabled") ? { enabled: target.enabled ?? true } : {}),
        ...(differing.includes("tags") ? { tags: target.tags ?? {} } : {}),
      },
      deadline.call,
    ),
  );
}

/** Whether a version has the value that the program gives, as far as its value could be read. */
export async function hasValue(inputs: SecretInputs, bundle: SecretBundle): Promise<boolean> {
  if (inputs.valueDigest === undefined || bundle.value === undefined) return false;
  return (await valueDigest(inputs.vaultUrl, inputs.name, bundle.value)) === inputs.valueDigest;
}

function wireAttributes(attributes: SecretAttributes) {
  const { enabled, notBefore, expiresOn, contentType, tags } = attributes;
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore: new Date(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: new Date(expiresOn) } : {}),
    ...(contentType ? { contentType } : {}),
    ...(tags ? { tags } : {}),
  };
}
