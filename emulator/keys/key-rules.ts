import { type ApiVersion, since } from "../api-version.js";
import { badParameter, forbidden, invalidProperties } from "../service-error.js";
import type { Vault } from "../vault.js";
import { curveByWireName } from "./curve.js";
import type { KeySpecification } from "./generate-key.js";
import { isHsmType } from "./key-bundle.js";

export const keyOperations = [
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "wrapKey",
  "unwrapKey",
  "import",
  "export",
  "deriveKey",
] as const;

const rsaSizes = [2048, 3072, 4096];
const curveSizes = [256, 384, 521];
const octetSizes = [128, 192, 256];

/** A key exchange key lives for two days, on vaults only. */
export const exchangeKeySeconds = 48 * 3600;

/** What the service gives a key that names no operations, on create and on import. */
export function defaultKeyOperations(vault: Vault, keyType: string): string[] {
  if (keyType.startsWith("EC")) return vault.plane === "vault" ? ["sign", "verify"] : ["verify", "deriveKey", "sign"];
  if (keyType.startsWith("oct")) return ["wrapKey", "unwrapKey", "encrypt", "decrypt", "sign", "verify", "deriveKey"];
  if (vault.plane === "managedhsm") return ["wrapKey", "decrypt", "encrypt", "unwrapKey", "sign", "verify"];
  return ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
}

/** The type as it is stored: a Managed HSM keeps hardware keys only. @throws ServiceError 403 on a standard vault. */
export function storedKeyType(vault: Vault, keyType: string, hardware: boolean): string {
  const stored = (hardware || vault.plane === "managedhsm") && !isHsmType(keyType) ? `${keyType}-HSM` : keyType;
  if (isHsmType(stored)) requireHardware(vault);
  return stored;
}

export function requireHardware(vault: Vault): void {
  if (vault.sku === "standard" && vault.plane === "vault") {
    throw forbidden("Hardware key operation not allowed on standard vault", "HardwareKeysNotSupported");
  }
}

/** @throws ServiceError 400 for a type, size or curve that the service does not make. */
export function specificationOf(
  vault: Vault,
  keyType: string,
  size: number | undefined,
  curve: string | undefined,
  apiVersion: ApiVersion = 0,
): KeySpecification {
  requireKeyType(vault, keyType, apiVersion >= since.symmetricInVaults);
  if (keyType.startsWith("RSA")) {
    if (size !== undefined && !rsaSizes.includes(size)) throw unsupportedSize(size, rsaSizes);
    return { keyType, size: size ?? 2048, curve: undefined };
  }
  if (keyType.startsWith("oct")) {
    if (size !== undefined && !octetSizes.includes(size)) throw unsupportedSize(size, octetSizes);
    return { keyType, size: size ?? 256, curve: undefined };
  }
  const wanted = curve ?? curveOfSize(size);
  const known = curveByWireName(wanted);
  if (known === undefined) throw invalidProperties();
  if (size !== undefined && size !== known.bits) throw unsupportedSize(size, curveSizes);
  return { keyType, size: known.bits, curve: wanted };
}

const asymmetricTypes = ["RSA", "RSA-HSM", "EC", "EC-HSM"];

/** @throws ServiceError 400: a vault takes no symmetric key, and makes one in its HSM since 2026 only. */
export function requireKeyType(vault: Vault, keyType: string, isMade = false): void {
  const symmetricTypes = vault.plane === "managedhsm" ? ["oct", "oct-HSM"] : isMade ? ["oct-HSM"] : [];
  if (!asymmetricTypes.includes(keyType) && !symmetricTypes.includes(keyType)) throw invalidProperties();
}

function curveOfSize(size: number | undefined): string {
  if (size === undefined) return "P-256";
  if (!curveSizes.includes(size)) throw unsupportedSize(size, curveSizes);
  return `P-${size}`;
}

export function unsupportedSize(size: number, supported: readonly number[]) {
  return badParameter(
    `Unsupported key size (${size}). Supported sizes are [${supported.join(", ")}]`,
    "KeySizeNotSupported",
  );
}
