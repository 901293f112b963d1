import { expect, test } from "vitest";
import { tokenSource } from "../../provider/sign-in/credential.js";
import { readCredentialEntries } from "../../provider/sign-in/credential-entries.js";

const application = { tenantId: "contoso.onmicrosoft.com", clientId: "app" };
const read = (setting: unknown) =>
  readCredentialEntries(typeof setting === "string" ? setting : JSON.stringify(setting), ["default", "arm"]);

test.each<[object, object]>([
  [
    { type: "client-secret", ...application, clientSecret: { env: "PARTNER_SECRET" } },
    { type: "client-secret", ...application, clientSecret: { env: "PARTNER_SECRET" } },
  ],
  [
    { type: "client-certificate", ...application, certificate: { file: "app.pfx" }, passphrase: { env: "PASS" } },
    { type: "client-certificate", ...application, certificate: { file: "app.pfx" }, passphrase: { env: "PASS" } },
  ],
  [
    { type: "client-certificate", ...application, certificate: { env: "APP_PFX" } },
    { type: "client-certificate", ...application, certificate: { base64: { env: "APP_PFX" } } },
  ],
  [
    { type: "oidc", ...application },
    { type: "oidc", ...application, idToken: { request: true } },
  ],
  [
    { type: "oidc", ...application, token: { file: "/run/token" } },
    { type: "oidc", ...application, idToken: { file: "/run/token" } },
  ],
  [
    { type: "azure-pipelines", ...application, serviceConnectionId: "c" },
    {
      type: "azure-pipelines",
      ...application,
      serviceConnectionId: "c",
      systemAccessToken: { env: "SYSTEM_ACCESSTOKEN" },
    },
  ],
  [{ type: "managed-identity" }, { type: "managed-identity" }],
  [
    { type: "azure-cli", tenantId: "t" },
    { type: "azure-cli", tenantId: "t" },
  ],
  [
    { type: "token", token: { env: "PARTNER_TOKEN" } },
    { type: "token", token: { env: "PARTNER_TOKEN" } },
  ],
])("an entry %j is read", (entry, expected) => {
  const { entries, problems } = read({ partner: entry });
  expect(problems).toEqual([]);
  expect(entries.get("partner")).toEqual(expected);
});

test.each<[unknown, string]>([
  ["no JSON", "must be a map"],
  [[], "must be a map"],
  [{ partner: "client-secret" }, '"type" must be one of'],
  [{ partner: { type: "constructor" } }, '"type" must be one of'],
  [{ partner: { type: "client-secret", ...application } }, '"clientSecret" must say where it stands'],
  [
    { partner: { type: "client-secret", ...application, clientSecret: "CANARY-s3cret" } },
    '"clientSecret" must say where it stands',
  ],
  [
    { partner: { type: "client-secret", ...application, clientSecret: { env: "CANARY s3cret" } } },
    '"clientSecret" must say where it stands',
  ],
  [{ partner: { type: "managed-identity", clientid: "CANARY" } }, "has a member that managed-identity has not"],
  [{ partner: { type: "oidc", clientId: "app" } }, '"tenantId" must be text'],
  [{ arm: { type: "managed-identity" } }, "is a credential of its own"],
  [{ "CANARY of mine": { type: "managed-identity" } }, "letters, digits"],
])("a malformed setting is told by member, without what it holds (%#)", (setting, problem) => {
  const { entries, problems } = read(setting);
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(entries.size).toBe(0);
  expect(problems.join()).not.toContain("CANARY");
});

test("an entry gives the token of its own variable, and an unknown name lists the entries", async () => {
  const entries = JSON.stringify({ partner: { type: "token", token: { env: "PARTNER_TOKEN" } } });
  const source = await tokenSource("partner", { entries, env: { PARTNER_TOKEN: "t1", KEYVAULT_TOKEN: "t2" } });
  await expect(source.getToken("s", {})).resolves.toMatchObject({ token: "t1" });
  await expect(tokenSource("partnr", { entries })).rejects.toMatchObject({
    code: "KV_INVALID_INPUT",
    hint: expect.stringContaining("partner"),
  });
});

test("a secret that is not where its entry says is told with the place", async () => {
  const entries = JSON.stringify({
    partner: { type: "client-secret", ...application, clientSecret: { env: "PARTNER_SECRET" } },
  });
  const source = await tokenSource("partner", { entries, env: {} });
  await expect(source.getToken("https://vault.azure.net/.default", {})).rejects.toMatchObject({
    code: "KV_UNAUTHENTICATED",
    message: expect.stringContaining("PARTNER_SECRET"),
  });
});
