import type { Properties } from "../../provider/engine/lifecycle.js";
import { formatMoment } from "../../provider/engine/moment.js";
import { checkKey } from "../../provider/key/check-key.js";
import { KEY_ATTRIBUTES, observedAttributes } from "../../provider/key/key-attributes.js";
import { type KeyAttributes, keyFamily } from "../../provider/key/key-inputs.js";
import { keyOutputs } from "../../provider/key/key-outputs.js";
import { readKeyInputs } from "../../provider/key/recorded-key.js";
import { observedRotationPolicy } from "../../provider/key/rotation-policy.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import type { SecretBundle } from "../../provider/keyvault/secret-bundle.js";
import { undeclaredAttributes } from "../../provider/object/attributes.js";
import { ownerOf } from "../../provider/object/owner-tag.js";
import { checkSecret } from "../../provider/secret/check-secret.js";
import { readSecretInputs } from "../../provider/secret/recorded-secret.js";
import { observedSecretAttributes, secretOutputs } from "../../provider/secret/secret-attributes.js";
import { objectId } from "../../provider/vault/object-address.js";
import { providerText, RESOURCE_TYPES } from "../../sdk/contract.js";
import { commentText, commentWord, literal } from "../text/typescript-text.js";
import type { FoundKey } from "../vault/read-vault.js";

/** An object of the vault as Pulumi takes it over, and as the program writes it. */
export interface AdoptedResource {
  /** The class of the program. */
  className: "Key" | "Secret";
  type: string;
  name: string;
  id: string;
  /** The arguments in the program, without `vaultUrl`. */
  args: Properties;
  /** One line for people. */
  comment: string;
  inputs: Properties;
  outputs: Properties;
}

const OPTIONS = { adopt: true, onDelete: "retain" } as const;

/**
 * What `check` makes of the program's arguments is what the import has to record, so `check` itself makes it: the
 * two cannot drift apart.
 */
export async function adoptKey(vaultUrl: string, { bundle, rotationPolicy }: FoundKey): Promise<AdoptedResource> {
  const observed = observedAttributes(bundle);
  const policy = rotationPolicy && observedRotationPolicy(rotationPolicy, {});
  const declared: KeyAttributes = { ...observed };
  // The policy sets the expiry of each version that it makes: a program that pinned one would be wrong after the next.
  if (policy?.expireAfter !== undefined) delete declared.expiresOn;
  const attributes = {
    ...declared,
    ...(bundle.exportable ? { exportable: true } : {}),
    ...(policy ? { rotationPolicy: policy } : {}),
  };
  const args = { name: bundle.name, ...attributes, ...OPTIONS };
  const checked = await normalForm("key", vaultUrl, args, checkKey);
  const inputs = readKeyInputs(checked.inputs);
  const found = undeclaredAttributes(KEY_ATTRIBUTES, observed, inputs);
  return {
    className: "Key",
    type: RESOURCE_TYPES.key,
    name: bundle.name,
    id: objectId("keys", inputs),
    args: checked.args,
    comment: describeKey(bundle),
    inputs: checked.inputs,
    outputs: plain(keyOutputs(inputs, bundle, found ? { found } : {})),
  };
}

export async function adoptSecret(vaultUrl: string, bundle: SecretBundle): Promise<AdoptedResource> {
  const args = { name: bundle.name, ...observedSecretAttributes(bundle), ...OPTIONS };
  const checked = await normalForm("secret", vaultUrl, args, checkSecret);
  const inputs = readSecretInputs(checked.inputs);
  return {
    className: "Secret",
    type: RESOURCE_TYPES.secret,
    name: bundle.name,
    id: objectId("secrets", inputs),
    args: checked.args,
    comment: `secret${dates(bundle)}${ownedBy(bundle)}`,
    inputs: checked.inputs,
    outputs: plain(secretOutputs(inputs, bundle)),
  };
}

type Check = (olds: Properties, news: Properties) => Promise<{ inputs: Properties; failures: { reason: string }[] }>;

/**
 * Attributes that the vault has and a program cannot say, such as operations of a Managed HSM, are left out of the
 * program; the state remembers them as found.
 */
async function normalForm(
  kind: "key" | "secret",
  vaultUrl: string,
  args: Properties,
  check: Check,
): Promise<{ args: Properties; inputs: Properties }> {
  const hidden = { vaultUrl, __provider: providerText(kind) };
  // As of an object in state: for a new one, check would ask the vault whether it is there.
  const olds = { name: args.name };
  const first = await check(olds, { ...args, ...hidden });
  if (first.failures.length === 0) return { args, inputs: plain(first.inputs) };
  // A failure names no property: each attribute is tried beside those that a program can say.
  const { name, ...attributes } = args;
  let sayable: Properties = { name, ...OPTIONS };
  let last = await check(olds, { ...sayable, ...hidden });
  for (const [property, value] of Object.entries(attributes)) {
    if (Object.hasOwn(OPTIONS, property)) continue;
    const more = { ...sayable, [property]: value };
    const tried = await check(olds, { ...more, ...hidden });
    if (tried.failures.length === 0) [sayable, last] = [more, tried];
  }
  const [failure] = last.failures;
  if (failure === undefined) {
    const inOrder = Object.entries(args).filter(([property]) => Object.hasOwn(sayable, property));
    return { args: Object.fromEntries(inOrder), inputs: plain(last.inputs) };
  }
  throw new KeyVaultError(
    "KV_PROTOCOL",
    `${kind} "${String(args.name)}" in ${vaultUrl} has what no program can say: ${failure.reason}`,
    { hint: `leave it out with --ignore '${kind}s/${String(args.name)}'` },
  );
}

function describeKey(bundle: FoundKey["bundle"]): string {
  const { keyType, curve, keySize } = bundle;
  const size = curve ?? (keyFamily(keyType) === "EC" ? undefined : keySize);
  return `${commentWord(keyType)}${size === undefined ? "" : ` ${commentWord(String(size))}`}${dates(bundle)}${ownedBy(bundle)}`;
}

/** The import leaves the tag as it is: whoever adopts should know that a stack says it is its own. */
function ownedBy({ tags }: { tags: Record<string, string> }): string {
  const owner = ownerOf(tags);
  return owner ? `, owned by stack ${commentText(literal(owner.stack))}` : "";
}

function dates({ createdOn, expiresOn }: { createdOn?: Date; expiresOn?: Date }): string {
  const made = createdOn ? `, made on ${formatMoment(createdOn).slice(0, 10)}` : "";
  return expiresOn ? `${made}, expires on ${formatMoment(expiresOn).slice(0, 10)}` : made;
}

/** Without members that are undefined, as state holds it. */
function plain(value: object): Properties {
  return JSON.parse(JSON.stringify(value)) as Properties;
}
