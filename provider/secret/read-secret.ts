import type { Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { tellGone } from "../object/deletion-report.js";
import { missingObject } from "../object/missing-object.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { observeFound, observeOwner } from "../object/observe-object.js";
import { formatSwappedDigest } from "../object/observed-drift.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { supersededBy } from "../object/previous-versions.js";
import { onceRecovered } from "../object/recover-object.js";
import type { VaultObject } from "../object/vault-object.js";
import { addressOfId, type ObjectAddress, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { secretForRefresh, tellUncompared } from "./listed-secret.js";
import { laterMembers, readSecretOutputs } from "./recorded-secret.js";
import { observedSecretAttributes, SECRET_ATTRIBUTES, sealed, secretOutputs } from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { secretObject } from "./secret-object.js";
import { valueDigest } from "./value-digest.js";

/**
 * Reads a secret with one request (two where it is disabled), and tells per property what left the recorded state: a
 * changed value by its digest alone. Only the vault's own answer means that a secret is gone.
 */
export async function readSecret(
  id: string,
  props: Properties,
): Promise<{ id: string; props: Properties; inputs?: Properties }> {
  // Only `Secret.get` and an import have no version yet: one that became null is a state that cannot be read.
  const recorded = props.version === undefined ? undefined : readSecretOutputs(props);
  const address = recorded ?? addressOf(id, props);
  const client = await vaultClient(address);
  const secret = secretObject(client, address, new OperationDeadline(recorded?.timeouts?.read));
  const bundle = await onceRecovered(secret, recorded, () => secretForRefresh(secret, recorded));
  if (!bundle) {
    await tellGone(secret, recorded);
    if (props.name === undefined) throw missingObject(secret);
    return { id: "", props: {} };
  }
  if (!recorded) {
    const props = secretOutputs({ ...address, ...observedSecretAttributes(bundle) }, bundle);
    return { id: objectId("secrets", address), props, inputs: { ...address } };
  }
  return { id, ...(await observe(secret, recorded, bundle)) };
}

function addressOf(id: string, props: Properties): ObjectAddress {
  const { vaultUrl, name } = props;
  const credential = typeof props.credential === "string" ? { credential: props.credential } : {};
  if (typeof vaultUrl === "string" && typeof name === "string") return { vaultUrl, name, ...credential };
  return { ...addressOfId("secrets", id), ...(typeof vaultUrl === "string" ? { vaultUrl } : {}), ...credential };
}

async function observe(
  secret: VaultObject<SecretBundle>,
  recorded: SecretOutputs,
  bundle: SecretBundle,
): Promise<{ props: Properties; inputs: Properties }> {
  const value = await observeValue(recorded, bundle);
  if (value.isUncompared && bundle.version !== recorded.version) tellUncompared(secret, bundle.version);
  const inputs: SecretInputs = {
    ...pickDefined(recorded, OPTIONS),
    ...declaredAttributes(recorded, bundle),
    ...(value.digest === undefined ? {} : { valueDigest: value.digest }),
  };
  const owner = observeOwner(secret, recorded, bundle);
  const found = observeFound(secret, SECRET_ATTRIBUTES, recorded, bundle);
  const marks: Partial<SecretFacts> = {
    ...(found ? { found } : {}),
    ...owner,
    ...(owner.ownerToken === undefined ? {} : pickDefined(recorded, ["formerToken"])),
    ...(value.expected === undefined ? {} : { expectedValueDigest: value.expected }),
    ...(value.isForeign ? { foreignVersion: true as const } : {}),
    ...pickDefined(recorded, ["awaitsVersion"]),
    ...supersededBy(recorded, bundle.version),
    ...(value.isUncompared ? { uncomparedValue: true as const } : {}),
  };
  // Of a generated value the digest is no input: there it only tells that it is another one.
  const { valueDigest: _digest, ...told } = inputs;
  return {
    props: { ...laterMembers(recorded), ...secretOutputs(inputs, bundle, marks) },
    inputs: {
      ...sealed({ ...(inputs.generate === undefined ? inputs : told), ...swapped(value) }),
      ...(value.isForeign ? { version: bundle.version } : {}),
    },
  };
}

/** How the inputs tell of another value: a program without the value still knows the digest of its own by it. */
function swapped({ digest, expected }: ObservedValue): { valueDigest?: string } {
  if (digest === undefined || expected === undefined || digest === expected) return {};
  return { valueDigest: formatSwappedDigest({ found: digest, expected }) };
}

interface ObservedValue {
  digest: string | undefined;
  /** The digest of what was to be there, where it is another value. */
  expected?: string;
  isForeign: boolean;
  /** The value of a version that was made outside is not known. */
  isUncompared?: boolean;
}

/** The value of a version never changes, so only a version that state does not know can have another one. */
async function observeValue(recorded: SecretOutputs, bundle: SecretBundle): Promise<ObservedValue> {
  const { vaultUrl, name, expectedValueDigest, uncomparedValue } = recorded;
  const madeUp = await digestToMakeUpFor(recorded, bundle);
  const digest = recorded.valueDigest ?? madeUp;
  const isToCompare = digest !== undefined && bundle.value !== undefined;
  if (bundle.version === recorded.version && !(uncomparedValue && isToCompare)) {
    return {
      digest,
      ...(expectedValueDigest === undefined ? {} : { expected: expectedValueDigest }),
      isForeign: recorded.foreignVersion === true,
      isUncompared: uncomparedValue === true,
    };
  }
  if (madeUp !== undefined || digest === undefined) return { digest, isForeign: true };
  if (bundle.value === undefined) {
    // What was found before is not in the vault any more: the digest of what was to be there is.
    return { digest: expectedValueDigest ?? digest, isForeign: true, isUncompared: true };
  }
  const expected = expectedValueDigest ?? digest;
  const observed = await valueDigest(vaultUrl, name, bundle.value);
  return observed === expected
    ? { digest: observed, isForeign: true }
    : { digest: observed, expected, isForeign: false };
}

/**
 * Of a value whose digest state has lost, as with another secrets provider, and of a generated one that the vault did not
 * show when it was taken over, as it was disabled. The recorded version still has the value that it had.
 */
async function digestToMakeUpFor(recorded: SecretOutputs, { value }: SecretBundle): Promise<string | undefined> {
  if (recorded.valueDigest !== undefined || value === undefined || leavesRestToVault(recorded)) return undefined;
  return valueDigest(recorded.vaultUrl, recorded.name, value);
}

/** Attributes in the form of the program's: of an adopted or restored secret, only those that it declares. */
function declaredAttributes(recorded: SecretOutputs, bundle: SecretBundle): SecretAttributes {
  if (!leavesRestToVault(recorded)) return observedSecretAttributes(bundle);
  const declared = SECRET_ATTRIBUTES.names.filter((attribute) => recorded[attribute] !== undefined);
  return pickDefined(observedSecretAttributes(bundle, recorded), declared);
}

const OPTIONS = [
  "vaultUrl",
  "name",
  "generate",
  "valueDrift",
  "restore",
  "adopt",
  "onDelete",
  "ifSoftDeleted",
  "previousVersions",
  "timeouts",
  "credential",
] as const;
