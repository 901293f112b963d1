import { expect, test } from "vitest";
import { CREDENTIAL_NAMES, fromTokenCredential, tokenSource } from "../../provider/keyvault/credential.js";

const SCOPE = "https://vault.azure.net/.default";

test("token takes the bearer token from KEYVAULT_TOKEN, each time anew", async () => {
  const env: NodeJS.ProcessEnv = { KEYVAULT_TOKEN: " first\n" };
  const source = tokenSource("token", env);
  await expect(source.getToken(SCOPE, {})).resolves.toMatchObject({ token: "first" });
  env.KEYVAULT_TOKEN = "second";
  await expect(source.getToken(SCOPE, {})).resolves.toMatchObject({ token: "second" });
});

test.each([undefined, "", "  ", "Bearer abc", "a\u0000b"])(
  "token %j in KEYVAULT_TOKEN is an error that shows nothing of it",
  async (token) => {
    const failure: unknown = await tokenSource("token", { KEYVAULT_TOKEN: token })
      .getToken(SCOPE, {})
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KV_UNAUTHENTICATED", message: expect.stringContaining("KEYVAULT_TOKEN") });
    if (token?.trim()) expect(String(failure)).not.toContain(token);
  },
);

test("an unknown name is refused with the names that are known", () => {
  expect(() => tokenSource("azurecli")).toThrowError(
    expect.objectContaining({ code: "KV_INVALID_INPUT", hint: expect.stringContaining("azure-cli") }),
  );
});

test("every known name makes a source without asking anybody", () => {
  for (const name of CREDENTIAL_NAMES) expect(tokenSource(name, {})).toHaveProperty("getToken");
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
