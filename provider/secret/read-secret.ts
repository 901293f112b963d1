import { parseTimeout } from "../engine/duration.js";
import type { Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { tellGone } from "../object/deletion-report.js";
import { missingObject } from "../object/missing-object.js";
import { ifPresent } from "../object/operation-deadline.js";
import { expectSealed } from "../object/pending-material.js";
import { secretObject } from "../object/vault-object.js";
import { addressOfId, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { currentSecretVersion } from "./current-secret-version.js";
import { observedSecretAttributes, sameSecretAttribute, sealed, secretOutputs } from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { valueDigest } from "./value-digest.js";

/**
 * Reads a secret with one request (two where it is disabled), and tells per property what left the recorded state: a
 * changed value by its digest alone. Only the vault's own 404 means that a secret is gone.
 */
export async function readSecret(
  id: string,
  props: Properties,
): Promise<{ id: string; props: Properties; inputs?: Properties }> {
  const recorded = props as unknown as Partial<SecretOutputs>;
  const { vaultUrl, name } = { ...addressOfId("secrets", id), ...recorded };
  const client = await vaultClient(vaultUrl);
  const timeoutMs = recorded.timeouts?.read && parseTimeout(recorded.timeouts.read);
  const bundle = await ifPresent(currentSecretVersion(client, name, timeoutMs ? { timeoutMs } : {}));
  if (!bundle) {
    const object = secretObject(client, { vaultUrl, name });
    await tellGone(object);
    if (recorded.name === undefined) throw missingObject(object);
    return { id: "", props: {} };
  }
  if (recorded.version === undefined) {
    const inputs = { vaultUrl, name };
    return { id, props: secretOutputs({ ...inputs, ...observedSecretAttributes(bundle) }, bundle), inputs };
  }
  return { id, ...(await observe(recorded as SecretOutputs, bundle)) };
}

async function observe(
  recorded: SecretOutputs,
  bundle: SecretBundle,
): Promise<{ props: Properties; inputs: Properties }> {
  const value = await observeValue(recorded, bundle);
  const inputs: SecretInputs = {
    ...keepOptions(recorded),
    ...declaredAttributes(recorded, bundle),
    ...(value.digest === undefined ? {} : { valueDigest: value.digest }),
  };
  const marks: Partial<SecretFacts> = {
    ...(recorded.found ? { found: recorded.found } : {}),
    ...(value.expected === undefined ? {} : { expectedValueDigest: value.expected }),
    ...(value.isForeign ? { foreignVersion: true as const } : {}),
  };
  if (value.expected !== undefined) expectSealed(objectId("secrets", recorded), value.expected);
  return {
    props: secretOutputs(inputs, bundle, marks),
    inputs: { ...sealed(inputs), ...(value.isForeign ? { version: bundle.version } : {}) },
  };
}

interface ObservedValue {
  digest: string | undefined;
  /** The digest of what was to be there, where it is another value. */
  expected?: string;
  isForeign: boolean;
}

/** The value of a version never changes, so only a version that state does not know can have another one. */
async function observeValue(recorded: SecretOutputs, bundle: SecretBundle): Promise<ObservedValue> {
  const { vaultUrl, name, valueDigest: digest, expectedValueDigest } = recorded;
  if (bundle.version === recorded.version) {
    return {
      digest,
      ...(expectedValueDigest === undefined ? {} : { expected: expectedValueDigest }),
      isForeign: recorded.foreignVersion === true,
    };
  }
  if (digest === undefined || bundle.value === undefined) return { digest, isForeign: true };
  const expected = expectedValueDigest ?? digest;
  const observed = await valueDigest(vaultUrl, name, bundle.value);
  return observed === expected
    ? { digest: observed, isForeign: true }
    : { digest: observed, expected, isForeign: false };
}

/** Attributes in the form of the program's: what it leaves out and adoption found stays out as long as it is unchanged. */
function declaredAttributes(recorded: SecretOutputs, bundle: SecretBundle): SecretAttributes {
  const observed = observedSecretAttributes(bundle);
  for (const attribute of Object.keys(recorded.found ?? {}) as (keyof SecretAttributes)[]) {
    if (recorded[attribute] === undefined && sameSecretAttribute(attribute, recorded.found ?? {}, observed)) {
      delete observed[attribute];
    }
  }
  return observed;
}

const OPTIONS = ["vaultUrl", "name", "restore", "adopt", "onDelete", "ifSoftDeleted", "timeouts"] as const;

function keepOptions(recorded: SecretOutputs): SecretInputs {
  return pickDefined(recorded, OPTIONS);
}
