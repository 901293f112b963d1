import { conflict, forbidden } from "../service-error.js";
import type { Vault } from "../vault.js";

/** Where a vault lets nobody in from. */
export type Firewall = "open" | "firewall" | "networkSecurityPerimeter" | "publicAccessDisabled";

const tenantUrl = "https://sts.windows.net/00000000-0000-0000-0000-00000000e4a1/";

/** Whether this vault serves anybody just now. @throws ServiceError 403 for a firewall, 409 while an HSM is restored. */
export function requireService(vault: Vault): void {
  const place = `Vault: ${vault.name};location=${vault.location}`;
  switch (vault.firewall) {
    case "firewall":
      throw forbidden(
        `Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1 from unknown subnet\r\n${place}`,
        "ForbiddenByFirewall",
      );
    case "networkSecurityPerimeter":
      throw forbidden(
        `Request was not allowed by NSP rules and the client address is not authorized and caller was ignored because bypass is set to None\r\nClient address: 127.0.0.1\r\nCaller: appid=emulator;oid=emulator\r\n${place}`,
        "ForbiddenByFirewall",
      );
    case "publicAccessDisabled":
      throw forbidden(
        `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: appid=emulator;oid=emulator;iss=${tenantUrl}\r\n${place}`,
        "ForbiddenByConnection",
      );
    default:
      break;
  }
  if (vault.restoring) {
    throw conflict("User triggered Restore operation is in progress. Retry after the restore operation");
  }
}
