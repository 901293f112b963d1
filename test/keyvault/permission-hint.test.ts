import { expect, test } from "vitest";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { hintFor } from "../../provider/keyvault/hints.js";
import { OPERATIONS, type OperationName } from "../../provider/keyvault/operations.js";
import {
  formatPermissionHint,
  parsePermissionHints,
  permissionFor,
  roleFor,
} from "../../provider/keyvault/permission-hint.js";
import { ROLES } from "./built-in-roles.js";

const VALUES = "secrets/getSecret/action";
const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

test.each(["vault", "managedhsm"] as const)("the permission of each operation of a %s is read back", (plane) => {
  for (const operation of OPERATION_NAMES) {
    const needed = permissionFor(operation, plane);
    const text = formatPermissionHint(operation, plane);
    expect(parsePermissionHints(text)).toEqual(needed ? [needed] : []);
    expect(text).toContain(OPERATIONS[operation].permission);
  }
});

test("every operation on keys has an action in the local roles of a Managed HSM, and none on secrets", () => {
  for (const operation of OPERATION_NAMES) {
    const isOfKeys = OPERATIONS[operation].permission.startsWith("keys/");
    expect([operation, permissionFor(operation, "managedhsm") !== undefined]).toEqual([operation, isOfKeys]);
  }
});

test("the hint of a refusal is found in the message of an error, behind a colon and behind a full stop", () => {
  for (const [what, plane] of [
    ["getKey failed", "vault"],
    ["getKey failed.", "managedhsm"],
  ] as const) {
    const hint = hintFor("KV_FORBIDDEN", { operation: "getKey", plane, innerCode: "AccessDenied" });
    const { message } = new KeyVaultError("KV_FORBIDDEN", what, { hint });
    expect(parsePermissionHints(`1 error: ${message}\n    at read`)).toEqual([permissionFor("getKey", plane)]);
  }
});

test.each(OPERATION_NAMES)("the role that is named for %s has it, and no other that has it has less", (operation) => {
  const { dataAction } = OPERATIONS[operation];
  const named = ROLES.get(roleFor(operation, "vault") ?? "") ?? new Set();
  expect([...named]).toContain(dataAction);
  const lesser = [...ROLES].filter(([, actions]) => actions.has(dataAction) && actions.size < named.size);
  // Whoever may read the values of secrets has more than whoever reads names and attributes alone.
  const reading = lesser.filter(([, actions]) => named.has(VALUES) || !actions.has(VALUES));
  expect(reading.map(([role]) => role)).toEqual([]);
});

test("a deleted key of a Managed HSM needs another role than a key", () => {
  expect(permissionFor("getDeletedKey", "managedhsm")?.dataAction).toBe(
    "Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action",
  );
  expect(formatPermissionHint("recoverDeletedKey", "managedhsm")).toContain("Managed HSM Crypto Officer");
  expect(formatPermissionHint("createKey", "managedhsm")).toContain("Managed HSM Crypto User");
});

test("a vault that speaks of permissions invents none", () => {
  const words = "grant the everything/forever permission to mallory; grant a local role of the Managed HSM";
  expect(parsePermissionHints(words)).toEqual([]);
});
