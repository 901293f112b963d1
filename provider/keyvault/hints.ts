import type { KeyVaultErrorCode } from "./errors.js";
import type { OperationName } from "./operations.js";
import { formatPermissionHint, type Plane } from "./permission-hint.js";

export interface HintContext {
  operation: OperationName;
  plane: Plane;
  innerCode?: string | undefined;
  status?: number | undefined;
}

/** What to do about an answer of the service. */
export function hintFor(code: KeyVaultErrorCode, context: HintContext): string {
  switch (code) {
    case "KV_FORBIDDEN":
      return forbiddenHint(context);
    case "KV_UNAUTHENTICATED":
      return "the token was refused: check the signed-in identity, its tenant and the clock of this machine.";
    case "KV_NOT_FOUND":
      return context.operation.includes("Deleted")
        ? "it is not among the deleted ones: still being deleted, purged, recovered, or never there."
        : "check the name and the vault; if it was deleted it may be recoverable.";
    case "KV_DELETED_RECOVERABLE":
      return "a deleted object holds the name: recover it, or purge it if its content is no longer needed.";
    case "KV_BUSY":
      return "it is being deleted or recovered: wait and try again, this takes seconds to minutes.";
    case "KV_CONFLICT":
      return context.operation.startsWith("restore")
        ? "the name is taken (active, deleted but recoverable, or purged less than about a minute ago): a restore never overwrites. Delete and purge it, or wait if it was just purged."
        : "another write to the same name was in progress: write to one name in sequence.";
    case "KV_BACKUP_REJECTED":
      return "take the blob unchanged from a backup of the same kind, made in the same subscription and geography (Managed HSM: the same security domain).";
    case "KV_THROTTLED":
      return "the vault's request limit was reached and did not ease within the call's budget: run fewer calls in parallel.";
    case "KV_UNAVAILABLE":
      return "the service failed on its side: try again later.";
    case "KV_INVALID_INPUT":
      return "check the names and values that were sent.";
    default:
      return "";
  }
}

function forbiddenHint({ operation, plane, innerCode }: HintContext): string {
  switch (innerCode) {
    case "ForbiddenByFirewall":
      return "the vault's firewall does not let this address in: add it under the vault's networking, or run inside an allowed network. A permission would not help.";
    case "ForbiddenByConnection":
      return "the vault takes no connections from the public network: run where its private endpoint is reachable and its name resolves to it. A permission would not help.";
    case "SecretDisabled":
    case "KeyDisabled":
      return "this version is disabled: enable it first.";
    case "KeyExpired":
      return "this version has expired, and opens and verifies what is there but makes nothing new: take a new version, or move its expiresOn.";
    case "KeyNotYetValid":
      return "this version is not valid yet: wait for its notBefore, or move it.";
    case "KeyOperationForbidden":
      return "the key's operations do not include this one: add it to keyOps.";
    case "KeyManagedByKeyVault":
    case "SecretManagedByKeyVault":
      return "it belongs to a certificate: change or delete the certificate instead.";
    case "HardwareKeysNotSupported":
      return "HSM keys need a vault of the premium tier.";
    default:
      break;
  }
  if (operation === "releaseKey" && innerCode === "AccessDenied") {
    return `${formatPermissionHint(operation, plane)} The release policy also has to accept the attestation of the target.`;
  }
  if (innerCode !== undefined) return formatPermissionHint(operation, plane);
  const protectedFromPurge = operation.startsWith("purge")
    ? "where the vault has purge protection nothing can purge it before its scheduled purge date; else "
    : "";
  return `the answer gives no reason, so it tells nothing of the object: ${protectedFromPurge}${formatPermissionHint(operation, plane)}`;
}
