import { expect, test } from "vitest";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { TokenSource } from "../../provider/keyvault/token-source.js";
import { CREDENTIAL_NAMES, fromTokenCredential, tokenSource } from "../../provider/sign-in/credential.js";
import { scriptedDispatch } from "../keyvault/scripted-dispatch.js";
import { CHALLENGE } from "../keyvault/vault-server.js";

const SCOPE = "https://vault.azure.net/.default";

test("token takes the bearer token from KEYVAULT_TOKEN, each time anew", async () => {
  const env: NodeJS.ProcessEnv = { KEYVAULT_TOKEN: " first\n" };
  const source = await tokenSource("token", { env });
  await expect(source.getToken(SCOPE, {})).resolves.toMatchObject({ token: "first" });
  env.KEYVAULT_TOKEN = "second";
  await expect(source.getToken(SCOPE, {})).resolves.toMatchObject({ token: "second" });
});

test.each([undefined, "", "  ", "Bearer abc", "a\u0000b"])(
  "token %j in KEYVAULT_TOKEN is an error that shows nothing of it",
  async (token) => {
    const failure: unknown = await (await tokenSource("token", { env: { KEYVAULT_TOKEN: token } }))
      .getToken(SCOPE, {})
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KV_UNAUTHENTICATED", message: expect.stringContaining("KEYVAULT_TOKEN") });
    if (token?.trim()) expect(String(failure)).not.toContain(token);
  },
);

test("an unknown name is refused with the names that are known", async () => {
  await expect(tokenSource("azurecli")).rejects.toThrowError(
    expect.objectContaining({ code: "KV_INVALID_INPUT", hint: expect.stringContaining("azure-cli") }),
  );
});

test("every known name makes a source without asking anybody", async () => {
  for (const name of CREDENTIAL_NAMES) expect(await tokenSource(name, { env: {} })).toHaveProperty("getToken");
});

test("a credential of the SDK is asked for claims of continuous access evaluation", async () => {
  const asked: unknown[] = [];
  const source = fromTokenCredential({
    getToken: async (scopes, options) => {
      asked.push(scopes, options);
      return { token: "t", expiresOnTimestamp: 5_000 };
    },
  });
  const { signal } = new AbortController();
  await expect(source.getToken(SCOPE, { tenantId: "t", claims: "{}", signal })).resolves.toEqual({
    token: "t",
    expiresOn: new Date(5_000),
  });
  expect(asked).toEqual([SCOPE, { enableCae: true, tenantId: "t", claims: "{}", abortSignal: signal }]);
  await expect(fromTokenCredential({ getToken: async () => null }).getToken(SCOPE, {})).rejects.toThrow(
    "no token to give",
  );
});

const jwt = (claims: unknown) =>
  ["e30", Buffer.from(typeof claims === "string" ? claims : JSON.stringify(claims)).toString("base64url"), "c2ln"].join(
    ".",
  );

test.each([
  jwt({ aud: "https://vault.azure.net" }),
  jwt({ aud: ["api://other", "https://VAULT.azure.net"] }),
  jwt({ aud: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093" }),
  jwt({}),
  jwt({ aud: 7 }),
  jwt("no JSON"),
  "opaque-token-of-a-broker",
])("a token for the vault's resource, or one that does not say, is given: %s", async (token) => {
  const source = await tokenSource("token", { env: { KEYVAULT_TOKEN: token } });
  await expect(source.getToken(SCOPE, { audience: "https://vault.azure.net" })).resolves.toMatchObject({ token });
});

test.each([
  ["https://management.azure.com", "--resource https://vault.azure.net"],
  ["https://vault.azure.net/", "trailing slash"],
  ["https://vault.azure.net.evil.example", "--resource https://vault.azure.net"],
])("a token for %s is not sent to a vault", async (aud, remedy) => {
  const token = jwt({ aud });
  const failure: unknown = await (await tokenSource("token", { env: { KEYVAULT_TOKEN: token } }))
    .getToken(SCOPE, { audience: "https://vault.azure.net" })
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "KV_UNAUTHENTICATED",
    message: expect.stringContaining(JSON.stringify(aud)),
    hint: expect.stringContaining(remedy),
  });
  expect(String(failure)).not.toContain(token.slice(4, -4));
});

test("a vault's resource is what tokens are checked against, and a server on loopback is taken at its word", async () => {
  const asked: unknown[] = [];
  const credential: TokenSource = {
    getToken: async (scope, { audience }) => {
      asked.push([scope, audience]);
      return { token: "t", expiresOn: new Date(Date.now() + 3_600_000) };
    },
  };
  const challenge = { status: 401, headers: { "www-authenticate": CHALLENGE } };
  for (const vaultUrl of ["http://127.0.0.1:1", "https://v.vault.azure.net"]) {
    const client = new KeyVaultClient({
      vaultUrl,
      credential,
      dispatch: scriptedDispatch(challenge, { status: 204, body: "" }),
    });
    await client.purgeDeletedKey("n");
  }
  expect(asked).toEqual([
    [SCOPE, undefined],
    [SCOPE, "https://vault.azure.net"],
  ]);
});
