import { describe, expect, it } from "vitest";
import { actionOf } from "../../emulator/access/permissions.js";
import { operations } from "../../emulator/operations/index.js";
import { OPERATIONS } from "../../provider/keyvault/operations.js";
import { openVault, refusal } from "./open-vault.js";

describe("permissions", () => {
  const principals = { reader: { keys: ["get", "List"] }, boss: { keys: ["*"], secrets: ["all"] } };

  it("are per principal, in the words of an access policy", async () => {
    const { call, emulator } = await openVault({
      vaults: [{ name: "guarded", location: "westeurope", permissions: { principals } }],
    });
    const tokenOf = async (name: string) =>
      (await emulator.credentialFor(name).getToken("https://vault.azure.net/.default")).token;
    const [boss, reader] = [await tokenOf("boss"), await tokenOf("reader")];
    expect((await call("POST", "/keys/a/create", { kty: "EC" }, { token: boss })).status).toBe(200);
    expect((await call("GET", "/keys/a", undefined, { token: reader })).status).toBe(200);
    expect((await call("GET", "/keys", undefined, { token: reader })).status).toBe(200);
    expect(await call("DELETE", "/keys/a", undefined, { token: reader })).toMatchObject(
      refusal(
        403,
        "Forbidden",
        /^The user, group or application 'appid=reader;oid=reader;iss=https:\/\/sts\.windows\.net\/[0-9a-f-]{36}\/' does not have keys delete permission on key vault 'guarded;location=westeurope'\. For help resolving this issue, please see https:\/\/go\.microsoft\.com\/fwlink\/\?linkid=2125287$/,
        "AccessDenied",
      ),
    );
    expect(await call("PUT", "/secrets/s", { value: "x" }, { token: reader })).toMatchObject(
      refusal(403, "Forbidden", undefined, "AccessDenied"),
    );
    for (const token of ["stranger", "constructor", "__proto__", "toString"]) {
      expect((await call("GET", "/keys/a", undefined, { token })).status, token).toBe(403);
    }
  });

  it("speak of roles where the vault has roles", async () => {
    const { call } = await openVault({ vaults: [{ name: "roles", permissions: { model: "rbac", principals: {} } }] });
    expect(await call("GET", "/secrets/a", undefined, { token: "stranger" })).toMatchObject(
      refusal(
        403,
        "Forbidden",
        /^Caller is not authorized to perform action on resource\.\r\n[\s\S]*Action: 'Microsoft\.KeyVault\/vaults\/secrets\/getSecret\/action'[\s\S]*DecisionReason/,
        "ForbiddenByRbac",
      ),
    );
  });

  it("are named as Azure names the data action of each operation", () => {
    const named = operations.flatMap(({ name, permission }) =>
      Object.hasOwn(OPERATIONS, name) ? [[name, actionOf(permission)]] : [],
    );
    expect(Object.fromEntries(named)).toEqual(
      Object.fromEntries(Object.entries(OPERATIONS).map(([name, { dataAction }]) => [name, dataAction])),
    );
  });

  it("show in the headers of a vault with roles", async () => {
    const permissions = { model: "rbac" as const, principals: { boss: { keys: ["*"] } } };
    const { call } = await openVault({ vaults: [{ name: "roles", permissions }] });
    const { headers } = await call("GET", "/keys", undefined, { token: "boss" });
    expect(headers).toHaveProperty("x-ms-keyvault-rbac-assignment-id");
    expect(headers).toHaveProperty("x-ms-keyvault-rbac-cache");
  });

  it("can change while the vault runs", async () => {
    const { call, emulator } = await openVault();
    emulator.vault("emulator").configure({ permissions: { principals: {} } });
    expect((await call("GET", "/keys")).status).toBe(403);
  });
});

describe("the network in front of a vault", () => {
  it("refuses as a firewall, a perimeter and a closed door do", async () => {
    for (const [firewall, inner, message] of [
      [
        "firewall",
        "ForbiddenByFirewall",
        /^Client address is not authorized and caller is not a trusted service\.\r\nClient address: /,
      ],
      ["networkSecurityPerimeter", "ForbiddenByFirewall", /^Request was not allowed by NSP rules /],
      ["publicAccessDisabled", "ForbiddenByConnection", /^Public network access is disabled /],
    ] as const) {
      const { call } = await openVault({ vaults: [{ name: "walled", firewall }] });
      expect(await call("GET", "/secrets/a")).toMatchObject(refusal(403, "Forbidden", message, inner));
      expect((await call("GET", "/secrets/a", undefined, { token: null })).status).toBe(401);
    }
  });

  it("waits while a Managed HSM is restored as a whole", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm", restoring: true }] });
    expect(await call("GET", "/keys")).toMatchObject(
      refusal(
        409,
        "Conflict",
        /^User triggered Restore operation is in progress\. Retry after the restore operation \(Activity ID: /,
      ),
    );
  });
});
