import { afterEach, expect, test } from "vitest";
import { authLayer } from "../../provider/keyvault/auth-layer.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { TokenCache } from "../../provider/keyvault/token-cache.js";
import { ManualClock } from "./manual-clock.js";
import { requestOf, scriptedDispatch } from "./scripted-dispatch.js";
import { type Answer, CHALLENGE, countingSource, type SeenRequest, unauthorized, VaultServer } from "./vault-server.js";

const TENANT = "11111111-2222-3333-4444-555555555555";
const SCOPE = "https://vault.azure.net/.default";
const key = { key: { kid: "https://v/keys/n/0a", kty: "EC" } };
const ok: Answer = { status: 200, body: key };

let server: VaultServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(answer: (request: SeenRequest, index: number) => Answer | Promise<Answer>) {
  server = await VaultServer.start(answer, { authenticate: false });
  const source = countingSource();
  return { server, source, client: server.client({ credential: source }) };
}

const needsToken = (request: SeenRequest, challenge?: string) =>
  request.authorization === undefined ? unauthorized(challenge) : ok;

const importKey = (client: KeyVaultClient) => client.importKey("n", { key: { kty: "EC", d: "c2VjcmV0" } });

test("the first request carries neither token nor body, the second both", async () => {
  const { server, source, client } = await serve((request) => needsToken(request));
  await importKey(client);
  expect(server.requests.map(({ authorization, body }) => [authorization, body !== ""])).toEqual([
    [undefined, false],
    ["Bearer token-1", true],
  ]);
  expect(source.requests).toEqual([{ scope: SCOPE, tenantId: TENANT }]);
});

test("after the first challenge every request goes out with the token at once", async () => {
  const { server, client } = await serve((request) => needsToken(request));
  for (let call = 0; call < 3; call++) await client.getKey("n");
  expect(server.requests.map(({ authorization }) => authorization)).toEqual([
    undefined,
    "Bearer token-1",
    "Bearer token-1",
    "Bearer token-1",
  ]);
});

test("parallel calls, and clients of the same credential, share one challenge per vault and one token", async () => {
  const { server, source, client } = await serve((request) => needsToken(request));
  await Promise.all(Array.from({ length: 12 }, () => client.getKey("n")));
  expect(server.requests.filter(({ authorization }) => authorization === undefined)).toHaveLength(1);
  await server.client({ credential: source }).getKey("n");
  expect(source.requests).toHaveLength(1);
});

test("a server that asks for no token gets none", async () => {
  const { server, source, client } = await serve(() => ok);
  await client.getKey("n");
  await importKey(client);
  expect(server.requests.map(({ body }) => body !== "")).toEqual([false, true]);
  expect(source.requests).toEqual([]);
});

test("a server that validates before it authenticates still gets the whole request", async () => {
  const { client } = await serve((request) =>
    request.body === ""
      ? { status: 400, body: { error: { code: "BadParameter", message: "no body" } } }
      : needsToken(request),
  );
  await expect(importKey(client)).resolves.toMatchObject({ name: "n" });
});

test.each([
  ["an empty body", { ...unauthorized(), body: undefined }, SCOPE],
  ["the text OK", { ...unauthorized(), body: "OK" }, SCOPE],
  ["a challenge without tenant", unauthorized('Bearer resource="https://vault.azure.net"'), SCOPE],
  ["a challenge without resource", unauthorized('Bearer authorization="https://localhost/x"'), SCOPE],
  [
    "a challenge of any resource",
    unauthorized('Bearer resource="https://emulator.example"'),
    "https://emulator.example/.default",
  ],
  ["a realm", unauthorized('Bearer realm="emulator"'), SCOPE],
  ["no challenge at all", { status: 401, headers: {} }, SCOPE],
])("on loopback, a 401 with %s is enough", async (_name, refusal, scope) => {
  const { source, client } = await serve((request) => (request.authorization === undefined ? refusal : ok));
  await client.getKey("n");
  expect(source.requests.map((request) => request.scope)).toEqual([scope]);
});

test("the claims of a second challenge are honoured once", async () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const insufficient = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/${TENANT}", error="insufficient_claims", claims="${Buffer.from(claims).toString("base64")}"`;
  const { server, source, client } = await serve((request) =>
    request.authorization === "Bearer token-2" ? ok : unauthorized(request.authorization ? insufficient : CHALLENGE),
  );
  await importKey(client);
  expect(source.requests).toEqual([
    { scope: SCOPE, tenantId: TENANT },
    { scope: SCOPE, tenantId: TENANT, claims },
  ]);
  await client.getKey("n");
  expect(server.requests.at(-1)?.authorization).toBe("Bearer token-2");
  expect(source.requests).toHaveLength(2);
});

test("claims that no token satisfies end in KV_UNAUTHENTICATED, not in a loop", async () => {
  const insufficient = `Bearer error="insufficient_claims", claims="${Buffer.from("{}").toString("base64")}"`;
  const { server, client } = await serve((request) => unauthorized(request.authorization ? insufficient : CHALLENGE));
  await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_UNAUTHENTICATED", status: 401 });
  expect(server.requests.length).toBeLessThanOrEqual(4);
});

test("a token that is refused is replaced once, and a vault that moved to another tenant is followed", async () => {
  const moved = CHALLENGE.replace(TENANT, "99999999-2222-3333-4444-555555555555");
  const { server, source, client } = await serve((request) =>
    request.authorization === "Bearer token-2" ? ok : unauthorized(request.authorization ? moved : CHALLENGE),
  );
  await client.getKey("n");
  expect(source.requests.map(({ tenantId }) => tenantId)).toEqual([TENANT, "99999999-2222-3333-4444-555555555555"]);
  expect(server.requests).toHaveLength(3);
});

test("the same token is not sent again to a vault that refused it", async () => {
  const { server } = await serve(() => unauthorized());
  const fixed = { getToken: async () => ({ token: "fixed", expiresOn: new Date(Date.now() + 3_600_000) }) };
  await expect(server.client({ credential: fixed }).getKey("n")).rejects.toMatchObject({
    code: "KV_UNAUTHENTICATED",
    requestId: "2b0c2f3c-0000-4000-8000-000000000001",
  });
  expect(server.requests).toHaveLength(2);
});

test("a host gets no token of a resource that is not its own", async () => {
  const clock = new ManualClock();
  const source = countingSource();
  for (const vaultUrl of ["https://evil.example", "https://vault.azure.net.evil.example"]) {
    const dispatch = scriptedDispatch({ status: 401, headers: { "www-authenticate": CHALLENGE } });
    const send = authLayer({ vaultUrl, plane: "vault", tokens: new TokenCache(source, clock) })(dispatch);
    await expect(send(requestOf(clock, "importKey", { body: '{"secret":1}' }))).rejects.toMatchObject({
      code: "KV_UNAUTHENTICATED",
      hint: expect.stringContaining("no token was sent"),
    });
    expect(dispatch.requests.map(({ headers, body }) => [headers.authorization, body])).toEqual([
      [undefined, undefined],
    ]);
  }
  expect(source.requests).toEqual([]);
});

test("off loopback, a 401 that names no resource is refused", async () => {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch({ status: 401, headers: { "www-authenticate": "Bearer" } });
  const tokens = new TokenCache(countingSource(), clock);
  const send = authLayer({ vaultUrl: "https://a.vault.azure.net", plane: "vault", tokens })(dispatch);
  await expect(send(requestOf(clock, "getKey"))).rejects.toMatchObject({ code: "KV_UNAUTHENTICATED" });
});

test("a credential that fails is reported with its reason, and without secrets", async () => {
  const { server } = await serve((request) => needsToken(request));
  const credential = {
    getToken: async () => {
      throw new Error("AADSTS7000215: Invalid client secret, client_secret=hunter2hunter2");
    },
  };
  const failure = await server
    .client({ credential })
    .getKey("n")
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "KV_UNAUTHENTICATED",
    cause: { message: expect.stringContaining("AADSTS7000215") },
  });
  expect(JSON.stringify(failure) + String((failure as Error).cause)).not.toContain("hunter2");
});

test("of a chain of credentials every one has its say, the last one too", async () => {
  const { server } = await serve((request) => needsToken(request));
  const sources = [
    "EnvironmentCredential",
    "WorkloadIdentityCredential",
    "ManagedIdentityCredential",
    "VisualStudioCodeCredential",
  ];
  const reasons = sources.map(
    (name) =>
      `CredentialUnavailableError: ${name} is unavailable. No underlying credential could be used. To troubleshoot, visit https://aka.ms/azsdk/js/identity/${name}/troubleshoot. ${"More words. ".repeat(40)}`,
  );
  const cli =
    "CredentialUnavailableError: Please run 'az login' from a command prompt to authenticate before using this credential.";
  const credential = {
    getToken: async () => {
      throw new Error(["ChainedTokenCredential authentication failed.", ...reasons, cli].join("\n"));
    },
  };
  const failure: unknown = await server
    .client({ credential })
    .getKey("n")
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "KV_UNAUTHENTICATED",
    message: expect.stringContaining("Please run 'az login'"),
  });
  for (const name of sources) expect(String(failure)).toContain(`${name} is unavailable`);
  expect(String(failure)).not.toContain("aka.ms");
  expect(String(failure).length).toBeLessThan(2_500);
});

test("a first request that fails leaves the next one to ask", async () => {
  let first = true;
  const { client } = await serve((request) => {
    if (first) {
      first = false;
      return {
        status: 403,
        body: { error: { code: "Forbidden", message: "no", innererror: { code: "ForbiddenByFirewall" } } },
      };
    }
    return needsToken(request);
  });
  await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
  await expect(client.getKey("n")).resolves.toMatchObject({ name: "n" });
});
