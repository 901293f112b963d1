import type { KeyVaultClient } from "../keyvault/client.js";
import { KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import type { OperationDeadline } from "../object/operation-deadline.js";
import { materialFor } from "../object/pending-material.js";
import { observedAttributes, pickAttributes, undeclaredAttributes } from "./key-attributes.js";
import { type KeyFacts, type KeyInputs, keyFamily } from "./key-inputs.js";
import { isPublicThumbprint, isSameMaterial, sameCurve, writeVersion } from "./key-writes.js";

/** A key as it is before its attributes are converged, and what state has to remember of where it came from. */
export interface MadeKey {
  bundle: KeyBundle;
  marks: Partial<KeyFacts>;
  /** Everything was sent with the version itself: there is nothing left to converge. */
  isComplete: boolean;
}

/**
 * Takes over a key that already has the wanted material. Attributes that a PATCH cannot clear need one more version.
 */
export async function convergeable(
  client: KeyVaultClient,
  inputs: KeyInputs,
  bundle: KeyBundle,
  deadline: OperationDeadline,
): Promise<MadeKey> {
  const current = observedAttributes(bundle);
  const mustClear =
    (current.expiresOn !== undefined && inputs.expiresOn === undefined && inputs.rotationPolicy === undefined) ||
    (current.notBefore !== undefined && inputs.notBefore === undefined);
  if (!mustClear) return { bundle, marks: {}, isComplete: false };
  const version = await writeVersion(client, inputs, pickAttributes(inputs), bundle.version, deadline);
  return { bundle: version, marks: {}, isComplete: true };
}

/** A key that keeps what the program leaves out. */
export function adopted(inputs: KeyInputs, bundle: KeyBundle): MadeKey {
  const found = undeclaredAttributes(observedAttributes(bundle), pickAttributes(inputs));
  return { bundle, marks: found ? { found } : {}, isComplete: false };
}

/** Refuses a key of another type, curve, size or material than the program's. */
export function verifyMaterial(inputs: KeyInputs, bundle: KeyBundle): void {
  if (inputs.thumbprint === undefined || !isPublicThumbprint(inputs.thumbprint)) return;
  if (isSameMaterial(bundle, inputs.thumbprint)) return;
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `adopt key "${inputs.name}" in ${inputs.vaultUrl} was refused: the key in the vault is not the one that import names`,
    { hint: "leave import out to adopt the key as it is, or choose another name for the imported one" },
  );
}

/** Refuses to go on with a key of another kind than the program's, before anything is changed. */
export function verifyKind(inputs: KeyInputs, bundle: KeyBundle): void {
  const material = inputs.thumbprint === undefined ? undefined : materialFor(inputs.thumbprint);
  const wanted = inputs.generate?.keyType ?? material?.keyType;
  if (wanted === undefined) return;
  const curve = inputs.generate?.curve ?? material?.curve;
  const size = inputs.generate?.keySize ?? material?.keySize;
  const differs =
    keyFamily(bundle.keyType) !== keyFamily(wanted) ||
    (curve !== undefined && bundle.curve !== undefined && !sameCurve(curve, bundle.curve)) ||
    (size !== undefined &&
      bundle.keySize !== undefined &&
      bundle.curve === undefined &&
      Number(size) !== bundle.keySize);
  if (!differs) return;
  throw new KeyVaultError(
    "KV_ALREADY_EXISTS",
    `create key "${inputs.name}" in ${inputs.vaultUrl} was refused: a soft-deleted key of that name is of another kind (${bundle.keyType}${
      bundle.curve ? ` ${bundle.curve}` : ""
    }${bundle.keySize ? ` ${bundle.keySize}` : ""})`,
    { hint: "purge the deleted key, or choose another name" },
  );
}

export function managedByCertificate(inputs: { name: string; vaultUrl: string }): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `key "${inputs.name}" in ${inputs.vaultUrl} belongs to the certificate of the same name: only the certificate can change or delete it`,
    { hint: "manage the certificate instead, or choose another name" },
  );
}
