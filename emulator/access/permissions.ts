import type { Operation } from "../operation.js";
import { requireService } from "../server/network-rules.js";
import { forbidden, permissionMissing } from "../service-error.js";
import type { Vault } from "../vault.js";
import type { Principal } from "./access-tokens.js";

const tenantUrl = "https://sts.windows.net/00000000-0000-0000-0000-00000000e4a1/";

/** Whether this caller may do this here. @throws ServiceError 403 in the words of the vault's model. */
export function requirePermission(vault: Vault, operation: Operation, principal: Principal): void {
  requireService(vault);
  const { permissions } = vault;
  if (permissions === undefined) return;
  const { collection, action } = operation.permission;
  // A token may name anybody, `constructor` included.
  const grants = Object.hasOwn(permissions.principals, principal.name)
    ? permissions.principals[principal.name]
    : undefined;
  const granted = (grants?.[collection] ?? []).map((each) => each.toLowerCase());
  if (granted.some((each) => each === "*" || each === "all" || each === action.toLowerCase())) return;
  const caller = `appid=${principal.name};oid=${principal.name};iss=${tenantUrl}`;
  throw permissions.model === "rbac"
    ? refusedByRole(vault, operation, caller)
    : permissionMissing(caller, action, collection, `${vault.name};location=${vault.location}`);
}

function refusedByRole(vault: Vault, { permission }: Operation, caller: string) {
  const object = permission.collection;
  return forbidden(
    `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: ${caller}\r\nAction: 'Microsoft.KeyVault/vaults/${actionOf(permission)}'\r\nResource: '/subscriptions/${vault.subscription}/resourcegroups/emulator/providers/microsoft.keyvault/vaults/${vault.name}/${object}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: ${vault.name};location=${vault.location}\r\n`,
    "ForbiddenByRbac",
  );
}

/** Reading, writing and deleting are data actions in themselves; everything else ends with `/action`. Some have a type of their own. */
export function actionOf({ collection, dataAction }: Operation["permission"]): string {
  if (dataAction.includes("/")) return dataAction;
  const isWhole = ["read", "write", "delete"].includes(dataAction);
  return `${collection}/${dataAction}${isWhole ? "" : "/action"}`;
}
