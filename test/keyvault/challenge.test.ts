import { expect, test } from "vitest";
import { parseChallenge, refuseResource } from "../../provider/keyvault/challenge.js";

const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const full = { resource: "https://vault.azure.net", tenantId: TENANT };

test.each([
  [
    "the service's form",
    `Bearer authorization="https://login.windows.net/${TENANT}", resource="https://vault.azure.net"`,
    full,
  ],
  [
    "authorization_uri",
    `Bearer authorization_uri="https://login.microsoftonline.com/${TENANT}/oauth2", resource="https://vault.azure.net"`,
    full,
  ],
  [
    "a scope in place of a resource",
    `Bearer authorization="https://l.example/${TENANT}" scope="https://vault.azure.net/.default"`,
    full,
  ],
  [
    "any case and whitespace",
    `  bEARER   AUTHORIZATION = "https://l.example/${TENANT}"  ,RESOURCE="https://vault.azure.net/"`,
    full,
  ],
  ["values without quotes", `Bearer authorization=https://l.example/${TENANT}, resource=https://vault.azure.net`, full],
  [
    "other schemes around it",
    `Negotiate, PoP authorization="https://x.example/a", nonce="1", Bearer realm="", authorization="https://l.example/${TENANT}", resource="https://vault.azure.net", Basic realm="b"`,
    full,
  ],
  [
    "a second Bearer challenge with the resource",
    `Bearer realm="a", Bearer authorization="https://l.example/${TENANT}", resource="https://vault.azure.net"`,
    full,
  ],
  [
    "no tenant",
    'Bearer authorization="https://login.microsoftonline.com/", resource="https://vault.azure.net"',
    { resource: "https://vault.azure.net" },
  ],
  [
    "the tenant common",
    'Bearer authorization="https://login.microsoftonline.com/common", resource="https://vault.azure.net"',
    { resource: "https://vault.azure.net" },
  ],
  ["nothing but the scheme", "Bearer", {}],
  ["a realm alone", 'Bearer realm="emulator"', {}],
])("%s", (_name, header, expected) => {
  expect(parseChallenge(header)).toEqual(expected);
});

test.each([undefined, "", 'Basic realm="x"', "???", '"'])("%s is no challenge", (header) => {
  expect(parseChallenge(header)).toBeUndefined();
});

test("claims of continuous access evaluation are decoded", () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const encoded = Buffer.from(claims).toString("base64");
  const header = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/${TENANT}/oauth2/authorize", error="insufficient_claims", claims="${encoded}"`;
  expect(parseChallenge(header)).toEqual({ tenantId: TENANT, claims });
  expect(parseChallenge(header.replace(encoded, "!!!"))).toEqual({ tenantId: TENANT });
  expect(parseChallenge(header.replace("insufficient_claims", "invalid_token"))).toEqual({ tenantId: TENANT });
});

test.each([
  ["https://vault.azure.net", "https://contoso.vault.azure.net", undefined],
  ["https://VAULT.azure.net", "https://contoso.vault.azure.net", undefined],
  ["https://managedhsm.azure.net", "https://contoso.managedhsm.azure.net", undefined],
  ["https://vault.azure.cn", "https://contoso.vault.azure.cn", undefined],
  ["https://vault.usgovcloudapi.net", "https://contoso.vault.usgovcloudapi.net", undefined],
  ["https://vault.cloudapi.microsoft.scloud", "https://contoso.vault.cloudapi.microsoft.scloud", undefined],
  ["https://vault.cloudapi.eaglex.ic.gov", "https://contoso.vault.cloudapi.eaglex.ic.gov", undefined],
  ["https://vault.azure.net", "https://contoso.privatelink.vault.azure.net", undefined],
  ["https://vault.azure.net", "https://vault.azure.net", "foreign"],
  ["https://vault.azure.net", "https://evil.example", "foreign"],
  ["https://vault.azure.net", "https://contosovault.azure.net", "foreign"],
  ["https://vault.azure.net", "https://contoso.vault.azure.net.evil.example", "foreign"],
  ["https://managedhsm.azure.net", "https://contoso.vault.azure.net", "foreign"],
  ["http://vault.azure.net", "https://contoso.vault.azure.net", "foreign"],
  ["https://net", "https://contoso.vault.azure.net", "unknown-domain"],
  ["https://azure.net", "https://contoso.vault.azure.net", "unknown-domain"],
  ["https://evil.example", "https://a.evil.example", "unknown-domain"],
  ["https://vault.azure.net.evil.example", "https://a.vault.azure.net.evil.example", "unknown-domain"],
  ["vault.azure.net", "https://contoso.vault.azure.net", "foreign"],
  ["https://vault.azure.net@evil.example", "https://a.vault.azure.net", "foreign"],
  ["https://vault.azure.net", "http://127.0.0.1:8080", undefined],
  ["https://vault.azure.net", "https://dev.localhost:8443", undefined],
  ["urn:anything", "https://[::1]:8443", undefined],
])("a token of %s for %s: %s", (resource, vaultUrl, refusal) => {
  expect(refuseResource(resource, vaultUrl)).toBe(refusal);
});

test("another domain is one of vaults once it is named, and then its subdomains are too", () => {
  const stack = "https://vault.adfs.east.azurestack.example/b0c8f1a0";
  const vaultUrl = "https://a.vault.adfs.east.azurestack.example";
  expect(refuseResource(stack, vaultUrl, ["vault.adfs.east.azurestack.example"])).toBeUndefined();
  expect(refuseResource(stack, vaultUrl, ["azurestack.example"])).toBeUndefined();
  expect(refuseResource(stack, vaultUrl, ["stack.example", "adfs.west.azurestack.example"])).toBe("unknown-domain");
  expect(refuseResource("https://vault.azure.net", vaultUrl, ["azurestack.example"])).toBe("foreign");
});
