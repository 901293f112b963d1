import { deleteObject } from "../delete-object.js";
import { tellGone } from "../gone.js";
import { parseObjectIdentifier } from "../keyvault/identifier.js";
import type { Properties, ResourceLifecycle } from "../lifecycle.js";
import { sameObject } from "../object-address.js";
import { ifPresent, Patience } from "../patience.js";
import { vaultClient } from "../vault-access.js";
import { checkSecret } from "./check-secret.js";
import { createSecret } from "./create-secret.js";
import { currentSecretVersion } from "./current-secret-version.js";
import {
  differingSecretAttributes,
  observedSecretAttributes,
  pickSecretAttributes,
  sameSecretAttribute,
  sealed,
  secretOutputs,
  undeclaredSecretAttributes,
} from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { patchSecret, writeSecretVersion } from "./secret-writes.js";
import { valueDigest } from "./value-digest.js";

/** What happens to a Secret on each call of the engine. */
export const secretLifecycle: ResourceLifecycle = {
  check: checkSecret,
  diff: async (_id, olds, news) => ({
    changes: undefined,
    replaces: ["vaultUrl", "name"].filter((property) => olds[property] !== news[property]),
    deleteBeforeReplace: sameObject(olds, news),
  }),
  create: createSecret,
  read: readSecret,
  update: updateSecret,
  delete: (_id, props) => deleteObject("secret", props),
};

/** Reads a secret with one request, and tells a changed value by its digest alone. */
async function readSecret(id: string, props: Properties) {
  const recorded = props as unknown as Partial<SecretOutputs>;
  const vaultUrl = recorded.vaultUrl ?? id.slice(0, id.lastIndexOf("/secrets/"));
  const name = recorded.name ?? parseObjectIdentifier(id).name;
  const client = await vaultClient(vaultUrl);
  const bundle = await ifPresent(currentSecretVersion(client, name));
  if (!bundle) {
    await tellGone(`secret "${name}" in ${vaultUrl}`, () => client.getDeletedSecret(name));
    return { id: "", props: {} };
  }
  const observed = observedSecretAttributes(bundle);
  if (recorded.version === undefined) {
    return { id, props: secretOutputs({ vaultUrl, name, ...observed }, bundle), inputs: { vaultUrl, name } };
  }
  for (const attribute of Object.keys(recorded.found ?? {}) as (keyof SecretAttributes)[]) {
    if (recorded[attribute] === undefined && sameSecretAttribute(attribute, recorded.found ?? {}, observed)) {
      delete observed[attribute];
    }
  }
  const digest =
    recorded.valueDigest === undefined || bundle.value === undefined
      ? recorded.valueDigest
      : await valueDigest(vaultUrl, name, bundle.value);
  const isForeign =
    bundle.version === recorded.version ? recorded.foreignVersion === true : digest === recorded.valueDigest;
  const inputs: SecretInputs = {
    ...keepOptions(recorded as SecretOutputs),
    ...observed,
    ...(digest === undefined ? {} : { valueDigest: digest }),
  };
  const marks: Partial<SecretFacts> = {
    ...(recorded.found ? { found: recorded.found } : {}),
    ...(isForeign ? { foreignVersion: true as const } : {}),
  };
  return {
    id,
    props: secretOutputs(inputs, bundle, marks),
    inputs: { ...sealed(inputs), ...(isForeign ? { version: bundle.version } : {}) },
  };
}

const OPTIONS = ["vaultUrl", "name", "restore", "adopt", "onDelete", "ifSoftDeleted", "timeouts"] as const;

function keepOptions(recorded: SecretOutputs): SecretInputs {
  return Object.fromEntries(
    OPTIONS.filter((option) => recorded[option] !== undefined).map((option) => [option, recorded[option]]),
  ) as unknown as SecretInputs;
}

/** One request for a new value or for changed attributes, none where only behaviour options changed. */
async function updateSecret(_id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const recorded = olds as unknown as SecretOutputs;
  const inputs = news as unknown as SecretInputs;
  const client = await vaultClient(inputs.vaultUrl);
  const patience = new Patience(inputs.timeouts?.update);
  const declared = pickSecretAttributes(inputs);
  const found = recorded.found && undeclaredSecretAttributes(recorded.found, declared);
  const target: SecretAttributes = { ...found, ...declared };
  const marks: Partial<SecretFacts> = found ? { found } : {};
  const current = { ...recorded.found, ...pickSecretAttributes(recorded) };
  const differing = differingSecretAttributes(current, target);

  const mustClear = (["expiresOn", "notBefore", "contentType"] as const).some(
    (attribute) => differing.includes(attribute) && target[attribute] === undefined,
  );
  const hasNewValue = inputs.valueDigest !== undefined && inputs.valueDigest !== recorded.valueDigest;
  if (hasNewValue || mustClear) {
    const bundle = await writeSecretVersion(client, inputs, target, recorded.version, patience);
    return { outs: secretOutputs(inputs, bundle, marks) };
  }
  if (differing.length > 0) {
    const bundle = await patchSecret(client, inputs, target, differing, patience);
    return { outs: secretOutputs(inputs, bundle, marks) };
  }
  const { version, createdOn, updatedOn, recoveryLevel, recoverableDays } = recorded;
  return { outs: sealed({ ...inputs, version, createdOn, updatedOn, recoveryLevel, recoverableDays, ...marks }) };
}
