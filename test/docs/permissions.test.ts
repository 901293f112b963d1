import { expect, it } from "vitest";
import { OPERATIONS, type OperationName } from "../../provider/keyvault/operations.js";
import { formatPermissionHint, permissionFor } from "../../provider/keyvault/permission-hint.js";
import { readPage } from "./page.js";

it("docs/permissions.md says of every operation what its refusals say", () => {
  const rows = [...readPage("docs/permissions.md").text.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (.+) \|$/gm)];
  const documented = rows.flatMap(([, names = "", rest = ""]) => names.split(", ").map((name) => `${name} ${rest}`));
  const names = Object.keys(OPERATIONS).filter((name): name is OperationName => name in OPERATIONS);
  expect(documented.sort()).toEqual(names.map((name) => `\`${name}\` ${neededFor(name)}`).sort());
});

function neededFor(name: OperationName): string {
  const { permission, dataAction } = permissionFor(name, "vault") ?? { permission: "", dataAction: "" };
  const action = dataAction.replace("Microsoft.KeyVault/vaults/", "");
  const role = /such as (.+?) \(Azure RBAC/.exec(formatPermissionHint(name, "vault"))?.[1];
  const local = /such as (.+?)\. A new/.exec(formatPermissionHint(name, "managedhsm"))?.[1] ?? "none";
  return `\`${permission}\` | \`${action}\` | ${role} | ${local}`;
}
