import type { KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { readTransferBlob } from "./byok.js";
import { type CurveName, findCurve } from "./curves.js";
import { type Detected, detectMaterial, type MaterialKind } from "./detect-material.js";
import { readJwk, type SymmetricJwk } from "./jwk.js";
import { DerivationBudget } from "./key-derivation.js";
import { MaterialError } from "./material-error.js";
import { readPem } from "./pem.js";
import { readPfx } from "./pfx.js";
import { completePrivateKey, openPrivateKey, type PrivateJwk } from "./private-key.js";
import { symmetricThumbprint, thumbprintOf, transferBlobThumbprint } from "./thumbprint.js";

/** Private key material that was checked, in the form that Import Key takes. Prints without its private part. */
export interface KeyMaterial {
  keyType: "RSA" | "EC" | "oct";
  /** True for transfer blobs and JWKs of an `-HSM` type: import it with `hardwareProtected`. */
  hardwareOnly: boolean;
  /** By the vault's name. Absent for RSA and oct, and for a transfer blob imported without it. */
  curve?: CurveName;
  /** Bits of the RSA modulus, of the curve's field, or of the symmetric key. Absent for transfer blobs. */
  keySize?: number;
  /**
   * The RFC 7638 thumbprint of the public key, equal to `publicThumbprint` of what the vault returns; with the prefix
   * `byok:` or `oct:` a digest that stands for material without a public half, which no vault returns.
   */
  thumbprint: string;
  /** The JWK with its private members, or `{ kty, crv?, key_hsm }`. Keep it out of state, errors and logs. */
  importable: Record<string, unknown>;
  /** Of a transfer blob: the identifier of the exchange key, which has to live in the vault that imports it. */
  exchangeKeyId?: string;
}

export interface ReadKeyMaterialOptions {
  /** Refuse other kinds; without it the content decides. */
  kind?: MaterialKind;
  passphrase?: string;
  /** `false` refuses material that can only live in an HSM. */
  hardwareProtected?: boolean;
  /** What a transfer blob holds, which it does not tell itself: `RSA` (default), `EC` or `oct`, with or without `-HSM`. */
  keyType?: string;
  /** The curve of the EC key in a transfer blob. */
  curve?: string;
  /** Take symmetric keys (oct), which can be imported into a Managed HSM only. Default false. */
  allowSymmetric?: boolean;
}

/**
 * Reads key material of any kind, checks it, and brings it into the form that Import Key takes.
 *
 * @throws MaterialError with all problems at once, none of which prints material.
 */
export function readKeyMaterial(content: string | Uint8Array, options: ReadKeyMaterialOptions = {}): KeyMaterial {
  const problems: string[] = [];
  const material = attempt(content, options, problems);
  if (material === undefined || problems.length > 0) throw new MaterialError(problems);
  return concealed(material);
}

/** A parser underneath that gives up in its own words, and may quote the material in them, says no more than that. */
function attempt(
  content: string | Uint8Array,
  options: ReadKeyMaterialOptions,
  problems: string[],
): KeyMaterial | undefined {
  try {
    const detected = detectMaterial(content, options.kind, problems);
    const material = detected && readDetected(detected, options, problems);
    if (material !== undefined) checkExpectations(material, options, problems);
    return material;
  } catch {
    if (problems.length === 0) problems.push("it is damaged: it cannot be decoded");
    return undefined;
  }
}

function readDetected(
  detected: Detected,
  options: ReadKeyMaterialOptions,
  problems: string[],
): KeyMaterial | undefined {
  const unlocking = { passphrase: options.passphrase, budget: new DerivationBudget() };
  switch (detected.kind) {
    case "jwk": {
      const read = readJwk(detected.json, options.allowSymmetric ?? false, problems);
      return read && materialOf(read.key, read.hardwareOnly);
    }
    case "byok":
      return readByok(detected.json, detected.bytes, options, problems);
    case "pem":
      return materialOfOne(readPem(detected.text, unlocking, problems), problems);
    case "pfx":
      return materialOfOne(readPfx(detected.bytes, unlocking, problems), problems);
    case "der": {
      const key = openPrivateKey(Buffer.from(detected.bytes), detected.form, unlocking, problems);
      return key && materialOfOne([key], problems);
    }
  }
}

function materialOfOne(keys: readonly KeyObject[], problems: string[]): KeyMaterial | undefined {
  if (problems.length > 0) return undefined;
  const [first, ...others] = keys;
  if (first === undefined) return undefined;
  if (others.some((other) => !isSameKey(other, first))) {
    const different = keys.filter((key, index) => keys.findIndex((each) => isSameKey(each, key)) === index);
    problems.push(`there are ${different.length} different private keys in it: give one`);
    return undefined;
  }
  const key = completePrivateKey(first, problems);
  return key === undefined || problems.length > 0 ? undefined : materialOf(key, false);
}

/** Two keys of other types are not compared: OpenSSL would keep an error of that. */
function isSameKey(a: KeyObject, b: KeyObject): boolean {
  return a.asymmetricKeyType === b.asymmetricKeyType && a.equals(b);
}

function materialOf(key: PrivateJwk | SymmetricJwk, hardwareOnly: boolean): KeyMaterial {
  if (key.kty === "oct") {
    const bytes = Buffer.from(key.k, "base64url");
    // Only an HSM keeps symmetric keys.
    return {
      keyType: "oct",
      hardwareOnly: true,
      keySize: bytes.length * 8,
      thumbprint: symmetricThumbprint(bytes),
      importable: { ...key },
    };
  }
  if (key.kty === "RSA") {
    const { kty, n, e } = key;
    const keySize = Buffer.from(n, "base64url").length * 8;
    return { keyType: kty, hardwareOnly, keySize, thumbprint: thumbprintOf({ kty, n, e }), importable: { ...key } };
  }
  const curve = findCurve(key.crv);
  if (curve === undefined) throw new TypeError("a completed EC key is on a known curve");
  const thumbprint = thumbprintOf({ kty: key.kty, crv: curve.jose, x: key.x, y: key.y });
  return {
    keyType: key.kty,
    hardwareOnly,
    curve: curve.name,
    keySize: curve.bits,
    thumbprint,
    importable: { ...key },
  };
}

function readByok(
  json: Record<string, unknown>,
  bytes: Uint8Array,
  options: ReadKeyMaterialOptions,
  problems: string[],
): KeyMaterial | undefined {
  const blob = readTransferBlob(json, problems);
  const keyType = baseKeyType(options.keyType ?? "RSA", problems);
  const curve = options.curve === undefined ? undefined : findCurve(options.curve);
  if (keyType === "oct" && options.allowSymmetric !== true) {
    problems.push(
      "keyType says that the transfer blob holds a symmetric key (oct), which can be imported into a Managed HSM only",
    );
  }
  if (options.curve !== undefined && curve === undefined) problems.push("curve is not one that Key Vault takes");
  if (options.curve !== undefined && keyType === "RSA")
    problems.push('curve is for transfer blobs with keyType "EC-HSM"');
  if (blob === undefined || keyType === undefined || problems.length > 0) return undefined;
  return {
    keyType,
    hardwareOnly: true,
    ...(curve && { curve: curve.name }),
    thumbprint: transferBlobThumbprint(blob.ciphertext),
    importable: {
      kty: `${keyType}-HSM`,
      ...(curve && { crv: curve.name }),
      key_hsm: Buffer.from(bytes).toString("base64url"),
    },
    exchangeKeyId: blob.exchangeKeyId,
  };
}

function baseKeyType(keyType: string, problems: string[]): KeyMaterial["keyType"] | undefined {
  const base = keyType.replace(/-HSM$/, "");
  if (base === "RSA" || base === "EC" || base === "oct") return base;
  problems.push("keyType is not one that Key Vault takes: RSA-HSM, EC-HSM or, for a Managed HSM, oct-HSM");
  return undefined;
}

/** A transfer blob takes `keyType` and `curve` as told; other material knows better, and a contradiction is an error. */
function checkExpectations(material: KeyMaterial, options: ReadKeyMaterialOptions, problems: string[]): void {
  if (options.hardwareProtected === false && material.hardwareOnly) {
    problems.push("it can only be kept in an HSM, but hardwareProtected is false");
  }
  if (material.exchangeKeyId !== undefined) return;
  const keyType = options.keyType === undefined ? material.keyType : baseKeyType(options.keyType, problems);
  if (keyType !== undefined && keyType !== material.keyType) {
    problems.push(
      `keyType is ${keyType}, but this is ${material.keyType === "RSA" ? "an" : "a"} ${material.keyType} key`,
    );
  }
  if (options.curve !== undefined && findCurve(options.curve)?.name !== material.curve) {
    problems.push(`curve is not what this key has: ${material.curve ?? `a key of type ${material.keyType} has none`}`);
  }
}

/** Whoever logs or serialises the object by accident gets its public part. */
function concealed(material: KeyMaterial): KeyMaterial {
  const { importable: _, ...shown } = material;
  const toShown = { value: () => ({ ...shown, importable: "[concealed]" }) };
  return Object.defineProperties(material, { toJSON: toShown, [inspect.custom]: toShown });
}
