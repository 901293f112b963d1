import type { Operation } from "../operation.js";
import { forbidden, ServiceError } from "../service-error.js";
import type { Vault } from "../vault.js";

/** @throws ServiceError 400 for whatever has to do with deleted objects where deletions are final. */
export function requireSoftDelete(vault: Vault, operation: Operation): void {
  if (vault.softDelete || !operation.routes.some((route) => route.startsWith("/deleted"))) return;
  const { action } = operation.permission;
  throw new ServiceError(400, "NotSupported", `Operation "${action}" is not enabled for this vault.`);
}

/** @throws ServiceError 403 under purge protection. */
export function requirePurgeAllowed(vault: Vault): void {
  if (vault.purgeProtection) {
    throw forbidden(
      `Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\nVault: ${vault.name};location=${vault.location}`,
    );
  }
}
