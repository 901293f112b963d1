import { formatMoment } from "../engine/moment.js";
import type { KeyBundle, PublicJwk } from "../keyvault/key-bundle.js";
import { publicKeyJwk } from "../material/public-key.js";
import { publicThumbprint } from "../material/thumbprint.js";
import {
  DEFAULT_KEY_OPS,
  isDefaultKeyOps,
  type KeyFacts,
  type KeyInputs,
  type KeyOutputs,
  keyFamily,
} from "./key-inputs.js";

const USUAL_EXPONENT = "AQAB";

/** What state holds of a key: its inputs and what the vault says of its current version. */
export function keyOutputs(inputs: KeyInputs, bundle: KeyBundle, marks: Partial<KeyFacts> = {}): KeyOutputs {
  const publicKey = publicKeyJwk(bundle.publicKey);
  const { keyOps } = bundle;
  return {
    ...inputs,
    version: bundle.version,
    keyType: bundle.keyType,
    publicKey: {
      ...(publicKey?.kty === "RSA"
        ? { n: publicKey.n, ...(publicKey.e === USUAL_EXPONENT ? {} : { e: publicKey.e }) }
        : {}),
      ...(publicKey?.kty === "EC" ? { curve: curveName(publicKey.crv), x: publicKey.x, y: publicKey.y } : {}),
      ...(keyOps === undefined || isDefaultKeyOps(bundle.keyType, keyOps) ? {} : { keyOps }),
    },
    ...(bundle.createdOn ? { createdOn: formatMoment(bundle.createdOn) } : {}),
    ...(bundle.updatedOn ? { updatedOn: formatMoment(bundle.updatedOn) } : {}),
    ...(bundle.recoveryLevel ? { recoveryLevel: bundle.recoveryLevel } : {}),
    ...(bundle.recoverableDays === undefined ? {} : { recoverableDays: bundle.recoverableDays }),
    ...marks,
  };
}

/** The public key of a key's state, as a JWK with the vault's names. */
export function recordedPublicJwk(facts: Partial<KeyFacts>): PublicJwk {
  const { keyType = "", publicKey: { n, e, curve, x, y } = {} } = facts;
  return {
    kty: keyType,
    ...(n ? { n, e: e ?? USUAL_EXPONENT } : {}),
    ...(curve ? { crv: curve } : {}),
    ...(x && y ? { x, y } : {}),
  };
}

/** RFC 7638 thumbprint of the key that state records; undefined for symmetric keys. */
export function recordedThumbprint(facts: Partial<KeyFacts>): string | undefined {
  return publicThumbprint(recordedPublicJwk(facts)) ?? facts.publicThumbprint;
}

/** Bits of the RSA modulus or of the curve; undefined for symmetric keys. */
export function recordedKeySize({ publicKey: { n, curve } = {} }: Partial<KeyFacts>): number | undefined {
  if (n) return Buffer.from(n, "base64url").length * 8;
  return curve === "P-256K" ? 256 : curve ? Number(curve.slice(2)) : undefined;
}

/** What the current version can be used for. */
export function recordedKeyOps({ keyType = "", publicKey }: Partial<KeyFacts>): string[] {
  return publicKey?.keyOps ?? [...(DEFAULT_KEY_OPS[keyFamily(keyType)] ?? [])];
}

/** JOSE writes `secp256k1` where Key Vault writes `P-256K`, and older versions of it `SECP256K1`. */
function curveName(crv: string): string {
  return crv.toLowerCase() === "secp256k1" ? "P-256K" : crv;
}
