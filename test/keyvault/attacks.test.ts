import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { KeyVaultClient, type KeyVaultClientOptions } from "../../provider/keyvault/client.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import { scriptedDispatch } from "./scripted-dispatch.js";
import { CHALLENGE, countingSource } from "./vault-server.js";

// What a vault, a gateway and an issuer of challenges could try that no service does.

const VERSION = "0123456789abcdef0123456789abcdef";
const json = { "content-type": "application/json; charset=utf-8" };
const challengeOf = (header: string): Partial<VaultResponse> => ({
  status: 401,
  headers: { "www-authenticate": header },
});
const challenge = challengeOf(CHALLENGE);
const ok = (body: unknown, status = 200): Partial<VaultResponse> => ({
  status,
  headers: json,
  body: JSON.stringify(body),
});
const key = { key: { kid: `https://v.vault.azure.net/keys/n/${VERSION}`, kty: "EC", crv: "P-256", x: "AQ", y: "Ag" } };

function remote(answers: Partial<VaultResponse>[], more: Partial<KeyVaultClientOptions> = {}) {
  const source = countingSource();
  const dispatch = scriptedDispatch(...answers);
  const options = { vaultUrl: "https://v.vault.azure.net", credential: source, dispatch, ...more };
  return { client: new KeyVaultClient(options), dispatch, source };
}

const refused = (code: string, inner?: object) =>
  ok({ error: { code, message: "words", ...(inner ? { innererror: inner } : {}) } }, 404);

test.each<[string, Partial<VaultResponse>, Partial<VaultResponse>]>([
  ["the other plane's word", refused("SecretNotFound"), refused("KeyNotFound")],
  ["the word inside", refused("NotFound", { code: "KeyNotFound" }), refused("NotFound", { code: "SecretNotFound" })],
  ["Azure's word for any resource", refused("ResourceNotFound", { code: "KeyNotFound" }), refused("ResourceNotFound")],
  ["the word in another case", refused("keynotfound"), refused("SECRETNOTFOUND")],
  ["the word with blanks", refused(" KeyNotFound"), refused("SecretNotFound ")],
  ["the word twice inside", refused("x", { innererror: { code: "KeyNotFound" } }), refused("VaultNotFound")],
  [
    "the word as a list",
    ok({ error: { code: ["KeyNotFound"] } }, 404),
    ok({ error: [{ code: "SecretNotFound" }] }, 404),
  ],
  ["the word with 410", ok({ error: { code: "KeyNotFound" } }, 410), ok({ error: { code: "SecretNotFound" } }, 410)],
])("%s is not believed to mean gone", async (_what, ofKey, ofSecret) => {
  const keys = remote([challenge, ofKey]).client;
  const secrets = remote([challenge, ofSecret]).client;
  for (const asked of [keys.getKey("n"), keys.deleteKey("n"), keys.getDeletedKey("n"), keys.purgeDeletedKey("n")]) {
    await expect(asked).rejects.not.toMatchObject({ code: "KV_NOT_FOUND" });
  }
  for (const asked of [secrets.getSecret("n"), secrets.deleteSecret("n"), secrets.getDeletedSecret("n")]) {
    await expect(asked).rejects.not.toMatchObject({ code: "KV_NOT_FOUND" });
  }
});

const bearer = (resource: string): string =>
  `Bearer authorization="https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555", resource="${resource}"`;

test.each([
  "https://other.vault.azure.net",
  "https://v.vault.azure.net",
  "https://azure.net",
  "https://net",
  "https://vault.azure.net.evil.example",
  "https://vault.azure.net@evil.example",
  "https://evil.example\\@vault.azure.net",
  "https://evil@vault.azure.net",
  "https://me:secret@vault.azure.net",
  "https://vault.azure.net:8443",
  "https://vault.azure.net.",
  "https://vault.azure.net/graph",
  "https://vault.azure.net?graph",
  "https://vault.azure.net#graph",
  "http://vault.azure.net",
  "ftp://vault.azure.net",
  "//vault.azure.net",
  "vault.azure.net",
  "https://v\u0430ult.azure.net",
  "https://xn--vult-53d.azure.net",
  "https://vault%2eazure.net%00",
  "https://graph.microsoft.com https://vault.azure.net",
  "https://managedhsm.azure.net",
  "https://vault.azure.cn",
  "urn:vault",
])("no token is asked for, where a challenge names %j", async (resource) => {
  const { client, dispatch, source } = remote([challengeOf(bearer(resource)), ok(key)]);
  await expect(client.importKey("n", { key: { kty: "EC", d: "c2VjcmV0" } })).rejects.toMatchObject({
    code: "KV_UNAUTHENTICATED",
  });
  expect(source.requests).toEqual([]);
  expect(dispatch.requests.map(({ headers, body }) => [headers.authorization, body])).toEqual([[undefined, undefined]]);
});

test("a vault under a name that only looks like the cloud's gets no token of the cloud", async () => {
  for (const vaultUrl of ["https://v.v\u0430ult.azure.net", "https://v.vault.azure.net.evil.example"]) {
    const { client, source } = remote([challenge, ok(key)], { vaultUrl });
    await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_UNAUTHENTICATED" });
    expect(source.requests).toEqual([]);
  }
});

test.each<[string, string, string]>([
  [
    "another scheme first",
    `Basic realm="x, Bearer resource=https://evil.example", ${CHALLENGE}`,
    "https://vault.azure.net",
  ],
  ["a foreign challenge behind", `${CHALLENGE}, ${bearer("https://evil.example")}`, "https://vault.azure.net"],
])("of a header with %s the right resource is taken", async (_what, header, resource) => {
  const { client, source } = remote([challengeOf(header), ok(key)]);
  await expect(client.getKey("n")).resolves.toMatchObject({ name: "n" });
  expect(source.requests).toMatchObject([{ scope: `${resource}/.default` }]);
});

test("a foreign challenge before the right one is refused", async () => {
  const { client, source } = remote([challengeOf(`${bearer("https://evil.example")}, ${CHALLENGE}`), ok(key)]);
  await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_UNAUTHENTICATED" });
  expect(source.requests).toEqual([]);
});

test("a challenge that comes with the second request is that of another request: the first answer stays unbelieved", async () => {
  const { client, dispatch, source } = remote([ok(key), challenge, ok(key)]);
  await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  expect(source.requests).toEqual([]);
  await expect(client.getKey("n")).resolves.toMatchObject({ name: "n" });
  expect(dispatch.requests.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    undefined,
    "Bearer token-1",
  ]);
});

test("a later challenge for another resource gets no token, and the request's body goes out no further", async () => {
  const { client, dispatch, source } = remote([challenge, challengeOf(bearer("https://evil.example")), ok(key)]);
  const sent = client.importKey("n", { key: { kty: "EC", d: "c2VjcmV0" } });
  await expect(sent).rejects.toMatchObject({ code: "KV_UNAUTHENTICATED" });
  expect(source.requests).toHaveLength(1);
  expect(dispatch.requests).toHaveLength(2);
});

test.each([200, 201, 202, 205, 206, 300, 301, 304, 307, 308])(
  "a purge that is answered %d is not proven",
  async (status) => {
    const { client } = remote([challenge, { status, headers: { location: "https://evil.example/" }, body: "" }]);
    await expect(client.purgeDeletedKey("n")).rejects.toMatchObject({ code: "KV_PROTOCOL", mayHaveHappened: true });
  },
);

test("redirects are not followed, whatever asks for them", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { client, dispatch } = remote([
      challenge,
      { status, headers: { ...json, location: "https://evil.example/keys/n" }, body: "{}" },
    ]);
    await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_PROTOCOL", status });
    expect(dispatch.requests).toHaveLength(2);
  }
});

test.each([
  ["a type that turns text around", { ...key.key, kty: "EC\u202eASR" }],
  ["a type that clears a terminal", { ...key.key, kty: "\u001b[2JEC" }],
  ["a type of two lines", { ...key.key, kty: "EC\nRSA" }],
  ["a curve with an order to a build agent", { ...key.key, crv: "##vso[task.complete]" }],
  ["a number that is none", { ...key.key, x: "../../secrets" }],
  ["a name with an encoded slash", { ...key.key, kid: `https://v.vault.azure.net/keys/n%2Fx/${VERSION}` }],
  ["a name of another object", { ...key.key, kid: `https://v.vault.azure.net/keys/m/${VERSION}` }],
  ["a version that is a path", { ...key.key, kid: "https://v.vault.azure.net/keys/n/..%2f..%2fsecrets" }],
  ["operations that are orders", { ...key.key, key_ops: ["sign", "::error::"] }],
])("%s is no key", async (_what, odd) => {
  const { client } = remote([challenge, ok({ key: odd })]);
  const failure = await client.getKey("n").catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "KV_PROTOCOL" });
  expect((failure as Error).message).not.toMatch(/##vso|\p{Cc}|\p{Cf}|::error/u);
});

test("a list that leads elsewhere stays on the vault's own origin", async () => {
  const page = (nextLink: string) => ok({ value: [{ kid: "https://v.vault.azure.net/keys/a" }], nextLink });
  for (const link of [
    "https://evil.example/keys?x=1",
    "https://v.vault.azure.net@evil.example/keys?x=1",
    "HTTPS://[::1]:1/keys?x=1",
  ]) {
    const { client, dispatch } = remote([challenge, page(link), ok({ value: [] })]);
    for await (const { name } of client.getKeys()) expect(name).toBe("a");
    expect(dispatch.requests.map(({ path }) => path).at(-1)).toBe("/keys?x=1&api-version=7.4");
  }
  for (const link of ["\\\\evil.example\\keys", "https:evil.example", "javascript:1", "/\\evil.example/keys"]) {
    const { client, dispatch } = remote([challenge, page(link), ok({ value: [] })]);
    const read = async () => {
      for await (const _ of client.getKeys());
    };
    await read().catch((error: unknown) => expect(error).toMatchObject({ code: "KV_PROTOCOL" }));
    for (const { path } of dispatch.requests)
      expect(new URL(path, "https://v.vault.azure.net").host).toBe("v.vault.azure.net");
  }
});

let server: Server | undefined;
afterEach(() => server?.close());

test("answers before the answer are passed over", async () => {
  const body = JSON.stringify(key);
  server = createServer((socket) => {
    socket.on("data", () => {
      socket.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <https://evil.example>\r\n\r\n");
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const vaultUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new KeyVaultClient({ vaultUrl, credential: countingSource() });
  await expect(client.getKey("n")).resolves.toMatchObject({ name: "n", keyType: "EC" });
  await client.close();
});
