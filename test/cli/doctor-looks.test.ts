import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Permission } from "../../cli/doctor/diagnosis.js";
import { formatTable } from "../../cli/doctor/format-table.js";
import { grantLines } from "../../cli/doctor/grant-lines.js";
import { nodeCheck, OLDEST } from "../../cli/doctor/look-at-machine.js";
import { isPrivateAddress, lookAtNetwork, type NameService, proxyFor } from "../../cli/doctor/look-at-network.js";
import { PERMISSIONS } from "../../cli/doctor/look-at-permissions.js";
import { describeIdentity, readTokenClaims } from "../../cli/doctor/token-claims.js";

const VAULT = "https://contoso.vault.azure.net";
const OBJECT = "11111111-2222-3333-4444-555555555555";

const refused = (permission: string, role: string, innerCode: string): Permission => ({
  permission,
  operations: [],
  result: "refused",
  usedFor: "",
  role,
  code: "KV_FORBIDDEN",
  innerCode,
});

const names = (addresses: string[], aliases: string[] = []): NameService => ({
  addresses: async () => addresses,
  aliases: async () => aliases,
});

const token = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;

describe("what doctor says to grant", () => {
  it("is the role that has what was refused, in a line for the caller", () => {
    const lines = grantLines(
      VAULT,
      "vault",
      [
        refused("keys/backup", "Key Vault Crypto Officer", "ForbiddenByRbac"),
        refused("secrets/get", "Key Vault Secrets User", "ForbiddenByRbac"),
      ],
      { objectId: OBJECT, isApplication: true },
    );
    expect(lines).toEqual([
      "vault=$(az keyvault show --name contoso --query id --output tsv)",
      `az role assignment create --scope "$vault" --assignee-object-id ${OBJECT} --assignee-principal-type ServicePrincipal --role "Key Vault Crypto Officer" # keys/backup`,
      `az role assignment create --scope "$vault" --assignee-object-id ${OBJECT} --assignee-principal-type ServicePrincipal --role "Key Vault Secrets User" # secrets/get`,
    ]);
  });

  it("is one policy where the vault has access policies, and a local role in a Managed HSM", () => {
    const rows = [
      refused("keys/get", "Key Vault Reader", "AccessDenied"),
      refused("keys/list", "Key Vault Reader", "AccessDenied"),
      refused("secrets/list", "Key Vault Reader", "AccessDenied"),
    ];
    expect(grantLines(VAULT, "vault", rows, { objectId: OBJECT, isApplication: false })).toEqual([
      `az keyvault set-policy --name contoso --object-id ${OBJECT} --key-permissions get list --secret-permissions list`,
    ]);
    const hsm = [refused("keys/get", "Managed HSM Crypto User", "AccessDenied")];
    expect(grantLines("https://contoso.managedhsm.azure.net", "managedhsm", hsm, undefined)).toEqual([
      'az keyvault role assignment create --hsm-name contoso --scope /keys --assignee "$(az ad signed-in-user show --query id --output tsv)" --role "Managed HSM Crypto User" # keys/get',
    ]);
  });

  it("repeats of a token only what is an object's id", () => {
    const rows = [refused("keys/get", "Key Vault Reader", "ForbiddenByRbac")];
    const lines = grantLines(VAULT, "vault", rows, { objectId: "$(touch gone)", isApplication: true });
    expect(lines.join("\n")).not.toContain("touch");
    expect(lines.join("\n")).toContain("az ad signed-in-user show");
  });
});

describe("what doctor sees of the network", () => {
  it("is a vault's private endpoint that a public address leads past", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const look = (found: NameService) =>
      lookAtNetwork(`https://contoso.vault.azure.net:${port}`, { timeoutMs: 5_000, env: {}, names: found });
    // Whatever the names say, this test's connections stay on loopback.
    const [past] = await look(names(["127.0.0.1"], ["contoso.privatelink.vaultcore.azure.net"]));
    expect(past).toMatchObject({
      check: "name",
      result: "warning",
      remedy: expect.stringContaining("private DNS zone"),
    });
    const [plain, connection, tls] = await look(names(["127.0.0.1"], ["data-prod-weu.vaultcore.azure.net"]));
    expect(plain).toMatchObject({ check: "name", result: "ok" });
    expect(connection).toMatchObject({ check: "connection", result: "ok" });
    expect(tls).toMatchObject({ check: "tls", result: "failed", code: "KV_TRANSPORT" });
    await new Promise((done) => server.close(done));
  });

  it("is a name that does not resolve", async () => {
    const nowhere: NameService = {
      addresses: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
      aliases: async () => [],
    };
    const checks = await lookAtNetwork(VAULT, { timeoutMs: 1_000, env: {}, names: nowhere });
    expect(checks.map(({ check, result }) => `${check} ${result}`)).toEqual([
      "name failed",
      "connection skipped",
      "tls skipped",
    ]);
    expect(checks[0]?.found).toContain("ENOTFOUND");
  });

  it("is the proxy where there is one, without its password", async () => {
    const checks = await lookAtNetwork(VAULT, {
      timeoutMs: 1_000,
      env: { HTTPS_PROXY: "http://user:hunter2@127.0.0.1:1" },
      names: names([]),
    });
    expect(checks[1]).toMatchObject({ check: "connection", result: "failed" });
    expect(JSON.stringify(checks)).toContain("through the proxy 127.0.0.1:1");
    expect(JSON.stringify(checks)).not.toContain("hunter2");
  });

  it.each([
    ["", true],
    ["*", false],
    [".azure.net", false],
    ["vault.azure.net,localhost", false],
    ["example.com", true],
  ])("leaves the proxy out for NO_PROXY=%s: %s", (noProxy, isThrough) => {
    const env = { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: noProxy };
    expect(proxyFor("contoso.vault.azure.net", env) !== undefined).toBe(isThrough);
  });

  it.each([
    ["10.1.2.3", true],
    ["172.16.0.4", true],
    ["172.32.0.4", false],
    ["192.168.1.1", true],
    ["52.1.2.3", false],
    ["fd00::1", true],
    ["2603:1030::1", false],
  ])("knows a private address: %s", (address, isPrivate) => {
    expect(isPrivateAddress(address)).toBe(isPrivate);
  });
});

describe("whose token it is", () => {
  it("is told by its claims", () => {
    const person = readTokenClaims(
      token({ upn: "ada@contoso.com", appid: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", tid: "t", oid: OBJECT }),
    );
    expect(person && describeIdentity(person)).toBe(`ada@contoso.com (by the Azure CLI, object ${OBJECT}, tenant t)`);
    expect(person?.isApplication).toBe(false);
    const machine = readTokenClaims(
      token({ appid: "a", idtyp: "app", xms_mirid: "/subscriptions/s/providers/x/agent" }),
    );
    expect(machine && describeIdentity(machine)).toBe("a managed identity (agent, application a)");
  });

  it("is not told where a token is of another form", () => {
    expect(readTokenClaims("opaque")).toBeUndefined();
    expect(readTokenClaims("a.b.c")).toBeUndefined();
    expect(readTokenClaims(token(["no"]))).toBeUndefined();
  });

  it("obeys no terminal", () => {
    const hostile = readTokenClaims(token({ upn: "\u001b[2Jada", exp: 1e99 }));
    expect(hostile && describeIdentity(hostile)).not.toContain("\u001b");
    expect(hostile?.expiresOn).toBeUndefined();
  });
});

describe("the versions that doctor asks for", () => {
  it("are those of the package and the README", () => {
    const root = join(__dirname, "../..");
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      engines: { node: string };
      peerDependencies: Record<string, string>;
    };
    expect(`${manifest.engines.node}.0`).toBe(`>=${OLDEST.node}`);
    expect(manifest.peerDependencies["@pulumi/pulumi"]).toBe(`>=${OLDEST.sdk} <4`);
    expect(readme).toContain(`Pulumi ${OLDEST.pulumi.replace(/\.0$/, "")}`);
  });

  it("refuse an older Node", () => {
    expect(nodeCheck("20.18.1")).toMatchObject({ result: "failed" });
    expect(nodeCheck("22.13.0")).toMatchObject({ result: "ok" });
    expect(nodeCheck("24.0.0")).toMatchObject({ result: "ok" });
  });
});

describe("the permissions that doctor knows", () => {
  it("are all that the permissions page has for programs", () => {
    const page = readFileSync(join(__dirname, "../../docs/permissions.md"), "utf8");
    const named = new Set([...page.matchAll(/^\| `\w+`.*?\| `((?:keys|secrets)\/\w+)` \|/gm)].map(([, name]) => name));
    for (const unused of ["keys/rotate", "keys/release"]) named.delete(unused);
    expect([...named].sort()).toEqual([...PERMISSIONS.keys()].sort());
  });
});

describe("doctor's table", () => {
  it("breaks no line that a shell is to run, and says what is required", () => {
    const text = formatTable(
      {
        vaultUrl: VAULT,
        version: "0.1.0",
        checks: [{ check: "firewall", result: "failed", found: "this address is not let in", code: "KV_FORBIDDEN" }],
        permissions: [refused("keys/get", "Key Vault Reader", "ForbiddenByRbac")],
        grants: [`az role assignment create ${"x".repeat(100)}`],
        missing: ["keys/get"],
      },
      { width: 60 },
    );
    expect(text).toContain(`\naz role assignment create ${"x".repeat(100)}\n`);
    expect(text).toContain("Refused as ForbiddenByRbac.");
    expect(text).toMatch(/Does not work: firewall\.\nRequired and not there: keys\/get\.\n$/);
  });
});
