import { expect, test } from "vitest";
import {
  isLoopbackHost,
  isManagedHsm,
  isValidObjectName,
  mayBeManagedHsm,
  parseVaultUrl,
  tryParseObjectIdentifier,
  vaultKey,
} from "../../provider/keyvault/identifier.js";

test.each([
  ["https://contoso.vault.azure.net", "https://contoso.vault.azure.net"],
  ["https://Contoso.Vault.azure.net/", "https://contoso.vault.azure.net"],
  [" https://contoso.vault.azure.net:443/ ", "https://contoso.vault.azure.net"],
  ["https://contoso.vault.azure.net./", "https://contoso.vault.azure.net"],
  ["https://localhost:8443", "https://localhost:8443"],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
  ["http://127.1:8080/", "http://127.0.0.1:8080"],
  ["http://dev.localhost:8080", "http://dev.localhost:8080"],
  ["http://[::1]:8080", "http://[::1]:8080"],
  ["HTTPS://CONTOSO.vault.azure.net..", "https://contoso.vault.azure.net"],
  ["https://contoso。vault．azure.net", "https://contoso.vault.azure.net"],
  ["https://bücher.vault.azure.net", "https://xn--bcher-kva.vault.azure.net"],
  ["http://LocalHost:80", "http://localhost"],
])("%s is the vault %s", (text, vaultUrl) => {
  expect(parseVaultUrl(text)).toBe(vaultUrl);
});

test.each([
  "",
  "contoso",
  "contoso.vault.azure.net",
  "http://contoso.vault.azure.net",
  "http://localhost.evil.example",
  "ftp://localhost",
  "https://contoso.vault.azure.net/keys/a",
  "https://contoso.vault.azure.net/?a=b",
  "https://contoso.vault.azure.net/#a",
  "https://user:hunter22@contoso.vault.azure.net",
  "https://",
])("%s is refused as a vault", (text) => {
  expect(() => parseVaultUrl(text)).toThrowError(expect.objectContaining({ code: "KV_INVALID_INPUT" }));
});

test.each([
  "https://user:hunter22@v.vault.azure.net",
  "user:hunter22@v.vault.azure.net",
  "https://user:hunter22@v.vault.azure.net:99999",
  "https://user:hunter22@@",
  "https://hunter22@v.vault.azure.net/keys",
])("a password in a vault URL does not show in its refusal: %s", (text) => {
  const refusal = (() => {
    try {
      return parseVaultUrl(text);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toMatchObject({ code: "KV_INVALID_INPUT", message: expect.not.stringContaining("hunter22") });
});

test("a vault's key is one text for all spellings, and none for what is no vault", () => {
  expect(vaultKey("https://[::1]:8443/")).toBe("https://localhost:8443");
  expect(vaultKey("embedded:./x")).toBeUndefined();
});

test.each([
  ["https://h.managedhsm.azure.net", true],
  ["https://H.ManagedHSM.azure.cn:443/", true],
  ["https://h.managedhsm.usgovcloudapi.net", true],
  ["https://h.privatelink.managedhsm.azure.net", true],
  ["https://h.managedhsm.cloudapi.microsoft.scloud", true],
  ["https://managedhsm.vault.azure.net", false],
  ["https://v.vault.azure.net/?a=.managedhsm.", false],
  ["https://v.vault.azure.net", false],
  ["http://127.0.0.1:8080", false],
  ["embedded:./h.managedhsm.azure.net", false],
  [undefined, false],
])("%s is a Managed HSM: %s", (vaultUrl, expected) => {
  expect(isManagedHsm(vaultUrl)).toBe(expected);
});

test("a server on loopback may be a Managed HSM, a vault may not", () => {
  expect(
    ["https://h.managedhsm.azure.net", "https://localhost:8443", "http://[::1]:1", "http://a.localhost"].map(
      mayBeManagedHsm,
    ),
  ).toEqual([true, true, true, true]);
  expect(["https://v.vault.azure.net", "http://10.0.0.1", "embedded:./x", undefined].map(mayBeManagedHsm)).toEqual(
    Array(4).fill(false),
  );
});

test.each([
  ["https://v.vault.azure.net/keys/n", { collection: "keys", name: "n" }],
  ["https://v.vault.azure.net:443/keys/n/0a", { collection: "keys", name: "n", version: "0a" }],
  ["http://gateway/KEYS/n/", { collection: "keys", name: "n" }],
  ["https://v/deletedsecrets/n?api-version=7.4#f", { collection: "deletedsecrets", name: "n" }],
  ["keys/n/0a", { collection: "keys", name: "n", version: "0a" }],
  ["https://gateway/vaults/a/keys/n/0a", { collection: "keys", name: "n", version: "0a" }],
  ["https://gateway/secrets/keys/n/0a", { collection: "keys", name: "n", version: "0a" }],
  ["https://v/keys/secrets", { collection: "keys", name: "secrets" }],
  ["https://v/keys/keys/0a", { collection: "keys", name: "keys", version: "0a" }],
  ["https://v/secrets/a%20b", { collection: "secrets", name: "a b" }],
  ["https://v/secrets/a%zz", { collection: "secrets", name: "a%zz" }],
])("%s is read", (id, expected) => {
  expect(tryParseObjectIdentifier(id)).toEqual(expected);
});

test.each(["", "https://v", "https://v/keys", "https://v/certificates/c/1", "https://v/keys/n/v/x", "n"])(
  "%s is no identifier",
  (id) => {
    expect(tryParseObjectIdentifier(id)).toBeUndefined();
  },
);

test("names are 1 to 127 letters, digits and hyphens", () => {
  expect(["a", "A-1", "a".repeat(127)].map(isValidObjectName)).toEqual([true, true, true]);
  expect(["", "a_b", "a b", "ä", "a/b", "a".repeat(128), "a\n"].map(isValidObjectName)).toEqual(Array(7).fill(false));
});

test("only names and addresses that stay on this machine are loopback", () => {
  expect(["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"].map(isLoopbackHost)).toEqual(
    Array(6).fill(true),
  );
  expect(["localhost.a", "alocalhost", "127.0.0.1.a", "128.0.0.1", "0.0.0.0", "10.0.0.1"].map(isLoopbackHost)).toEqual(
    Array(6).fill(false),
  );
});
