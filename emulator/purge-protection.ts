import { forbidden, ServiceError } from "./service-error.js";
import type { Vault } from "./vault.js";

/** @throws ServiceError 403 under purge protection, 400 where there is nothing to purge for want of soft delete. */
export function requirePurgeAllowed(vault: Vault): void {
  if (!vault.softDelete) {
    throw new ServiceError(400, "NotSupported", 'Operation "purge" is not enabled for this vault.');
  }
  if (vault.purgeProtection) {
    throw forbidden(
      `Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\nVault: ${vault.name};location=${vault.location}`,
    );
  }
}
