import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { publicThumbprint } from "../material/thumbprint.js";
import { ifPresent, type OperationDeadline } from "../object/operation-deadline.js";
import { materialFor } from "../object/pending-material.js";
import { DEFAULT_KEY_OPS, type KeyAttributes, type KeyInputs, keyFamily } from "./key-inputs.js";

type Write = KeyInputs & { thumbprint?: string };

/**
 * Makes a version from the program's source: imports the material, or generates. Nothing of an earlier version is
 * inherited, so everything is sent.
 *
 * A write whose answer was lost is not sent again: the vault is looked at, and the version that is there is taken if
 * it is the one that was to be made.
 *
 * @param before version of the key before the write, undefined where there was none: then a busy name is the
 * caller's to look at, with `KV_BUSY`.
 */
export async function writeVersion(
  client: KeyVaultClient,
  inputs: Write,
  attributes: KeyAttributes,
  before: string | undefined,
  deadline: OperationDeadline,
): Promise<KeyBundle> {
  const key = `key "${inputs.name}" in ${inputs.vaultUrl}`;
  for (;;) {
    try {
      const send = () => sendVersion(client, inputs, attributes, deadline.call);
      return await (before === undefined ? send() : deadline.whileBusy(`${key} to be free`, send));
    } catch (error) {
      const isUncertain = isKeyVaultError(error) && (error.mayHaveHappened || error.code === "KV_CONFLICT");
      if (!isUncertain) throw error;
      const found = await ifPresent(client.getKey(inputs.name, undefined, deadline.call));
      if (found && found.version !== before && isWhatWasWritten(found, inputs)) return found;
      if (found && found.version !== before) throw lostToAnother(inputs, error);
      await deadline.pause(`${key}, after the answer to a write was lost`, error);
      const later = await ifPresent(client.getKey(inputs.name, undefined, deadline.call));
      if (later && later.version !== before) {
        if (isWhatWasWritten(later, inputs)) return later;
        throw lostToAnother(inputs, error);
      }
    }
  }
}

function sendVersion(
  client: KeyVaultClient,
  inputs: Write,
  attributes: KeyAttributes,
  options: CallOptions,
): Promise<KeyBundle> {
  const common = {
    ...wireAttributes(attributes),
    ...(inputs.exportable ? { exportable: true } : {}),
  };
  if (inputs.thumbprint !== undefined) {
    const material = materialFor(inputs.thumbprint);
    if (!material) throw materialMissing(inputs);
    return client.importKey(
      inputs.name,
      {
        key: material.importable,
        ...(inputs.hardwareProtected || material.hardwareOnly ? { hardwareProtected: true } : {}),
        ...common,
      },
      options,
    );
  }
  const { keyType, keySize, curve } = inputs.generate ?? { keyType: "RSA" };
  return client.createKey(
    inputs.name,
    {
      keyType: inputs.hardwareProtected && !keyType.endsWith("-HSM") ? `${keyType}-HSM` : keyType,
      ...(keySize === undefined ? {} : { keySize: Number(keySize) }),
      ...(curve === undefined ? {} : { curve }),
      ...common,
    },
    options,
  );
}

/** The members of a request that carry changeable attributes. */
export function wireAttributes(attributes: KeyAttributes): {
  enabled?: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  keyOps?: string[];
  tags?: Record<string, string>;
  releasePolicy?: { contentType?: string; data: string; immutable?: boolean };
} {
  const { enabled, notBefore, expiresOn, keyOps, tags, releasePolicy } = attributes;
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore: new Date(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: new Date(expiresOn) } : {}),
    ...(keyOps ? { keyOps } : {}),
    ...(tags ? { tags } : {}),
    ...(releasePolicy
      ? {
          releasePolicy: {
            contentType: releasePolicy.contentType ?? "application/json; charset=utf-8",
            data: Buffer.from(releasePolicy.data, "utf8").toString("base64url"),
            ...(releasePolicy.immutable ? { immutable: true } : {}),
          },
        }
      : {}),
  };
}

/**
 * Patches a version so that the named attributes get their target values. The version that is known is named: without
 * it, a version that somebody else has made meanwhile would be patched, and taken for the known one.
 */
export async function patchAttributes(
  client: KeyVaultClient,
  inputs: KeyInputs,
  bundle: { keyType: string; version: string },
  target: KeyAttributes,
  differing: Partial<Record<keyof KeyAttributes, true>>,
  deadline: OperationDeadline,
): Promise<KeyBundle> {
  const changed: KeyAttributes & { enabled?: boolean } = {};
  const wire = wireAttributes({
    ...(differing.notBefore && target.notBefore ? { notBefore: target.notBefore } : {}),
    ...(differing.expiresOn && target.expiresOn ? { expiresOn: target.expiresOn } : {}),
    ...(differing.releasePolicy && target.releasePolicy ? { releasePolicy: target.releasePolicy } : {}),
    ...changed,
  });
  const defaultOps = DEFAULT_KEY_OPS[keyFamily(bundle.keyType)];
  const keyOps = target.keyOps ?? (defaultOps ? [...defaultOps] : undefined);
  return deadline.whileBusy(`key "${inputs.name}" in ${inputs.vaultUrl} to be free`, () =>
    client.updateKey(
      inputs.name,
      bundle.version,
      {
        ...wire,
        ...(differing.enabled ? { enabled: target.enabled ?? true } : {}),
        ...(differing.tags ? { tags: target.tags ?? {} } : {}),
        ...(differing.keyOps && keyOps ? { keyOps } : {}),
      },
      deadline.call,
    ),
  );
}

/** Whether a key in the vault is the one that the inputs describe; undefined where that cannot be told. */
export function isSameMaterial(bundle: KeyBundle, thumbprint: string): boolean {
  return publicThumbprint(bundle.publicKey) === thumbprint;
}

/** Whether the vault's public key can confirm a thumbprint: not that of a transfer blob or of a symmetric key. */
export function isPublicThumbprint(thumbprint: string): boolean {
  return !thumbprint.includes(":");
}

function isWhatWasWritten(bundle: KeyBundle, inputs: Write): boolean {
  if (inputs.thumbprint !== undefined) {
    return !isPublicThumbprint(inputs.thumbprint) || isSameMaterial(bundle, inputs.thumbprint);
  }
  const { keyType, curve } = inputs.generate ?? { keyType: "RSA" };
  return (
    keyFamily(bundle.keyType) === keyFamily(keyType) && (!curve || !bundle.curve || sameCurve(curve, bundle.curve))
  );
}

export function sameCurve(a: string, b: string): boolean {
  const normal = (curve: string): string => (/^(secp256k1|p-256k)$/i.test(curve) ? "P-256K" : curve);
  return normal(a) === normal(b);
}

function lostToAnother(inputs: Write, cause: unknown): KeyVaultError {
  return new KeyVaultError(
    "KV_CONFLICT",
    `the answer to a write of key "${inputs.name}" in ${inputs.vaultUrl} was lost, and the vault now holds a version that is not the one sent`,
    { hint: "somebody else writes this key: run `pulumi refresh` and look at the difference", cause },
  );
}

export function materialMissing(inputs: Write): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_KEY_MATERIAL",
    `a new version of key "${inputs.name}" in ${inputs.vaultUrl} has to be made, and its material is not at hand`,
    { hint: "run where the file or environment variable of `import` is present" },
  );
}
