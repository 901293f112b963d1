import type { Properties } from "../engine/lifecycle.js";
import type { KeyBundle, KeyRotationPolicy } from "../keyvault/key-bundle.js";
import { undeclaredAttributes } from "../object/attributes.js";
import { missingObject } from "../object/missing-object.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { markOfAdopted } from "../object/owner-tag.js";
import { ADOPTED, type AdoptedObject, plain, sayableInputs } from "../object/sayable-inputs.js";
import { ownedByCertificate } from "../object/standing.js";
import { addressOfId, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { checkKey } from "./check-key.js";
import { KEY_ATTRIBUTES, observedAttributes } from "./key-attributes.js";
import type { KeyAttributes } from "./key-inputs.js";
import { keyObject } from "./key-object.js";
import { keyOutputs } from "./key-outputs.js";
import { rotationPolicyOf } from "./read-rotation-policy.js";
import { readKeyInputs } from "./recorded-key.js";
import { observedRotationPolicy } from "./rotation-policy.js";

/** A key as a vault answers it, and its rotation policy where the vault has one and tells it. */
export interface ReadKey {
  bundle: KeyBundle;
  rotationPolicy: KeyRotationPolicy | undefined;
}

/** A key that exists, as a program adopts it with all that it can say of it. */
export async function adoptKey({ bundle, rotationPolicy }: ReadKey, hidden: Properties): Promise<AdoptedObject> {
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
  const checked = await sayableInputs("key", { name: bundle.name, ...attributes, ...ADOPTED }, hidden, checkKey);
  const inputs = readKeyInputs(checked.inputs);
  const found = undeclaredAttributes(KEY_ATTRIBUTES, observed, inputs);
  return {
    ...checked,
    id: objectId("keys", inputs),
    outputs: plain(keyOutputs(inputs, bundle, { ...(found ? { found } : {}), ...markOfAdopted(inputs, bundle.tags) })),
  };
}

/** `pulumi import`: reads the key that an id names, and writes nothing. */
export async function importKey(id: string): Promise<AdoptedObject> {
  const address = addressOfId("keys", id);
  const key = keyObject(await vaultClient(address), address, new OperationDeadline(undefined));
  const bundle = await key.current();
  if (!bundle) throw missingObject(key);
  if (bundle.managed) throw ownedByCertificate(key);
  return adoptKey({ bundle, rotationPolicy: await rotationPolicyOf(key) }, { vaultUrl: address.vaultUrl });
}
