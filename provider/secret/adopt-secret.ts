import type { Properties } from "../engine/lifecycle.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { missingObject } from "../object/missing-object.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { markOfAdopted } from "../object/owner-tag.js";
import { ADOPTED, type AdoptedObject, plain, sayableInputs } from "../object/sayable-inputs.js";
import { ownedByCertificate } from "../object/standing.js";
import { addressOfId, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { checkSecret } from "./check-secret.js";
import { readSecretInputs } from "./recorded-secret.js";
import { observedSecretAttributes, secretOutputs } from "./secret-attributes.js";
import { secretObject } from "./secret-object.js";

/** A secret that exists, as a program adopts it with all that it can say of it. Its value is nobody's business. */
export async function adoptSecret(bundle: SecretBundle, hidden: Properties): Promise<AdoptedObject> {
  const args = { name: bundle.name, ...observedSecretAttributes(bundle), ...ADOPTED };
  const checked = await sayableInputs("secret", args, hidden, checkSecret);
  const inputs = readSecretInputs(checked.inputs);
  return {
    ...checked,
    id: objectId("secrets", inputs),
    outputs: plain(secretOutputs(inputs, bundle, markOfAdopted(inputs, bundle.tags))),
  };
}

/** `pulumi import`: reads the secret that an id names, and writes nothing. */
export async function importSecret(id: string): Promise<AdoptedObject> {
  const address = addressOfId("secrets", id);
  const secret = secretObject(await vaultClient(address), address, new OperationDeadline(undefined));
  const bundle = await secret.current();
  if (!bundle) throw missingObject(secret);
  if (bundle.managed) throw ownedByCertificate(secret);
  return adoptSecret(bundle, { vaultUrl: address.vaultUrl });
}
