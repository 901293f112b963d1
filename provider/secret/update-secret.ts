import type { Properties } from "../engine/lifecycle.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { vaultClient } from "../vault/vault-access.js";
import {
  CLEARED_BY_VERSION,
  differingSecretAttributes,
  pickSecretAttributes,
  sealed,
  secretOutputs,
  undeclaredSecretAttributes,
} from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { patchSecret, writeSecretVersion } from "./secret-writes.js";

/** One request for a new value or for changed attributes, none where only behaviour options changed. */
export async function updateSecret(_id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const recorded = olds as unknown as SecretOutputs;
  const inputs = news as unknown as SecretInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const deadline = new OperationDeadline(inputs.timeouts?.update);
  const declared = pickSecretAttributes(inputs);
  const found = recorded.found && undeclaredSecretAttributes(recorded.found, declared);
  const target: SecretAttributes = { ...found, ...declared };
  const marks: Partial<SecretFacts> = found ? { found } : {};
  const current = { ...recorded.found, ...pickSecretAttributes(recorded) };
  const differing = differingSecretAttributes(current, target);

  const mustClear = CLEARED_BY_VERSION.some(
    (attribute) => differing.includes(attribute) && target[attribute] === undefined,
  );
  const hasNewValue = inputs.valueDigest !== undefined && inputs.valueDigest !== recorded.valueDigest;
  if (hasNewValue || mustClear) {
    const bundle = await writeSecretVersion(client, inputs, target, recorded.version, deadline);
    return { outs: secretOutputs(inputs, bundle, marks) };
  }
  if (differing.length > 0) {
    const bundle = await patchSecret(client, inputs, recorded.version, target, differing, deadline);
    return { outs: secretOutputs(inputs, bundle, marks) };
  }
  const { version, createdOn, updatedOn, recoveryLevel, recoverableDays } = recorded;
  return { outs: sealed({ ...inputs, version, createdOn, updatedOn, recoveryLevel, recoverableDays, ...marks }) };
}
