import type { Permission } from "./diagnosis.js";
import type { TokenClaims } from "./token-claims.js";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SIGNED_IN = '"$(az ad signed-in-user show --query id --output tsv)"';

/**
 * What grants the permissions that were refused, as the page on permissions has it. What is put into a line for a shell
 * is of a form that a shell takes for a word.
 */
export function grantLines(
  vaultUrl: string,
  plane: "vault" | "managedhsm",
  permissions: readonly Permission[],
  claims: TokenClaims | undefined,
): string[] {
  const refused = permissions.filter(({ result }) => result === "refused");
  const [name = ""] = new URL(vaultUrl).hostname.split(".");
  if (refused.length === 0 || !/^[a-z0-9-]{1,63}$/.test(name)) return [];
  const isKnown = claims?.objectId !== undefined && GUID.test(claims.objectId);
  const who = isKnown ? claims.objectId : SIGNED_IN;
  const roles = [...new Set(refused.flatMap(({ role }) => (role === undefined ? [] : [role])))].map((role) => {
    const allowed = refused.filter((each) => each.role === role).map(({ permission }) => permission);
    return { role, what: [...new Set(allowed)].join(", ") };
  });
  if (plane === "managedhsm") {
    return roles.map(
      ({ role, what }) =>
        `az keyvault role assignment create --hsm-name ${name} --scope /keys --assignee ${who} --role "${role}" # ${what}`,
    );
  }
  if (!refused.some(({ innerCode }) => innerCode === "ForbiddenByRbac")) return [policyLine(name, who, refused)];
  const type = !isKnown || !claims.isApplication ? "User" : "ServicePrincipal";
  return [
    `vault=$(az keyvault show --name ${name} --query id --output tsv)`,
    ...roles.map(
      ({ role, what }) =>
        `az role assignment create --scope "$vault" --assignee-object-id ${who} --assignee-principal-type ${type} --role "${role}" # ${what}`,
    ),
  ];
}

function policyLine(name: string, who: string | undefined, refused: readonly Permission[]): string {
  const of = (collection: string): string => {
    const words = refused
      .filter(({ permission }) => permission.startsWith(`${collection}/`))
      .map(({ permission }) => permission.slice(collection.length + 1));
    return words.length === 0 ? "" : ` --${collection.slice(0, -1)}-permissions ${[...new Set(words)].join(" ")}`;
  };
  return `az keyvault set-policy --name ${name} --object-id ${who}${of("keys")}${of("secrets")}`;
}
