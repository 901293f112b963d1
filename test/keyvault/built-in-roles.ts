import { OPERATIONS } from "../../provider/keyvault/operations.js";

/** The data actions of Azure's built-in roles, below `Microsoft.KeyVault/vaults/`, as their definitions have them. */
const DATA_ACTIONS: Record<string, readonly string[]> = {
  "Key Vault Reader": ["*/read", "secrets/readMetadata/action"],
  "Key Vault Secrets User": ["secrets/getSecret/action", "secrets/readMetadata/action"],
  "Key Vault Secrets Officer": ["secrets/*"],
  "Key Vault Crypto User": [
    "keys/read",
    "keys/update/action",
    "keys/backup/action",
    "keys/encrypt/action",
    "keys/decrypt/action",
    "keys/wrap/action",
    "keys/unwrap/action",
    "keys/sign/action",
    "keys/verify/action",
  ],
  "Key Vault Crypto Officer": ["keys/*", "keyrotationpolicies/*"],
  "Key Vault Crypto Service Release User": ["keys/release/action"],
};

/** What is asked of a vault at all, as far as each role has it. */
export const ROLES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(DATA_ACTIONS).map(([role, patterns]) => [
    role,
    new Set(
      Object.values(OPERATIONS)
        .map(({ dataAction }) => dataAction)
        .filter((action) => patterns.some((pattern) => covers(pattern, action))),
    ),
  ]),
);

/** A `*` stands for any text, slashes included. */
function covers(pattern: string, action: string): boolean {
  const [before = "", after] = pattern.split("*");
  return after === undefined ? action === pattern : action.startsWith(before) && action.endsWith(after);
}
