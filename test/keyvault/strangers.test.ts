import { afterEach, expect, test, vi } from "vitest";
import { KeyVaultClient, type KeyVaultClientOptions } from "../../provider/keyvault/client.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import { scriptedDispatch } from "./scripted-dispatch.js";
import { CHALLENGE, countingSource } from "./vault-server.js";

const VERSION = "0123456789abcdef0123456789abcdef";
const json = { "content-type": "application/json; charset=utf-8" };
const html: Partial<VaultResponse> = { headers: { "content-type": "text/html" }, body: "<html>hello</html>" };
const challenge = { status: 401, headers: { "www-authenticate": CHALLENGE } };
const keyBody = JSON.stringify({ key: { kid: `https://v.vault.azure.net/keys/n/${VERSION}`, kty: "EC" } });
const refusal = (code: string, innerCode?: string) =>
  JSON.stringify({ error: { code, message: "words", ...(innerCode ? { innererror: { code: innerCode } } : {}) } });

/** A vault that is not on loopback; the answers are given one after the other, the last one stays. */
function remote(answers: Partial<VaultResponse>[], more: Partial<KeyVaultClientOptions> = {}) {
  const source = countingSource();
  const dispatch = scriptedDispatch(...answers);
  const options = { vaultUrl: "https://v.vault.azure.net", credential: source, dispatch, ...more };
  return { client: new KeyVaultClient(options), dispatch, source };
}

const secretImport = (client: KeyVaultClient) => client.importKey("n", { key: { kty: "EC", d: "c2VjcmV0" } });

afterEach(() => vi.unstubAllEnvs());

test.each<[string, Partial<VaultResponse>]>([
  ["200 and a key", { status: 200, headers: json, body: keyBody }],
  ["a page", { status: 200, ...html }],
  ["204", { status: 204, body: "" }],
  ["a redirect", { status: 302 }],
  ["400", { status: 400, headers: json, body: refusal("BadParameter") }],
  ["403", { status: 403, headers: json, body: refusal("Forbidden", "AccessDenied") }],
  ["KeyNotFound", { status: 404, headers: json, body: refusal("KeyNotFound") }],
  ["407", { status: 407, ...html }],
  ["409", { status: 409, headers: json, body: refusal("Conflict") }],
])(
  "a host that answers %s without a challenge is not believed, and gets neither token nor body",
  async (_name, answer) => {
    const { client, dispatch, source } = remote([answer]);
    const calls = [() => client.getKey("n"), () => secretImport(client), () => client.deleteKey("n")];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: "KV_PROTOCOL", status: answer.status });
    }
    await expect(client.getKeys()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "KV_PROTOCOL" });
    expect(dispatch.requests.map(({ headers, body }) => [headers.authorization, body])).toEqual(
      Array(4).fill([undefined, undefined]),
    );
    expect(source.requests).toEqual([]);
  },
);

test("what went out without its body cannot have happened, what has none may have", async () => {
  const { client } = remote([{ status: 200, headers: json, body: keyBody }]);
  await expect(secretImport(client)).rejects.toMatchObject({ mayHaveHappened: false });
  await expect(client.deleteKey("n")).rejects.toMatchObject({ mayHaveHappened: true });
  await expect(client.getKey("n")).rejects.toMatchObject({ mayHaveHappened: false });
});

test.each(["ForbiddenByFirewall", "ForbiddenByConnection"])(
  "a network that refuses before it asks is told as that (%s)",
  async (innerCode) => {
    const { client, source } = remote([{ status: 403, headers: json, body: refusal("Forbidden", innerCode) }]);
    await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_FORBIDDEN", innerCode });
    expect(source.requests).toEqual([]);
  },
);

test("after its challenge a vault gets the whole request", async () => {
  const { client, dispatch } = remote([challenge, { status: 200, headers: json, body: keyBody }]);
  await expect(secretImport(client)).resolves.toMatchObject({ name: "n" });
  expect(dispatch.requests.map(({ headers, body }) => [headers.authorization, body !== undefined])).toEqual([
    [undefined, false],
    ["Bearer token-1", true],
  ]);
});

test("a host that names its own parent domain gets no token, unless the program names that domain", async () => {
  const own = { status: 401, headers: { "www-authenticate": 'Bearer resource="https://example.com"' } };
  const ok = { status: 200, headers: json, body: keyBody };
  const vaultUrl = "https://v.example.com";
  const unnamed = remote([own, ok], { vaultUrl });
  await expect(secretImport(unnamed.client)).rejects.toMatchObject({
    code: "KV_UNAUTHENTICATED",
    hint: expect.stringContaining("keyvault:allowedDomains"),
  });
  expect([unnamed.dispatch.requests.length, unnamed.source.requests]).toEqual([1, []]);
  const named = remote([own, ok], { vaultUrl, allowedDomains: ["Example.com"] });
  await expect(secretImport(named.client)).resolves.toMatchObject({ name: "n" });
  expect(named.source.requests).toEqual([{ scope: "https://example.com/.default" }]);
});

test.each(["", "com", "*.example.com", ".example.com", "https://example.com", "a b.example"])(
  "%j is no domain of vaults",
  (domain) => {
    expect(() => remote([], { allowedDomains: [domain] })).toThrowError(
      expect.objectContaining({ code: "KV_INVALID_INPUT" }),
    );
  },
);

test.each<[string, Partial<VaultResponse>]>([
  ["a page", { status: 200, ...html }],
  ["a page with 204", { status: 204, ...html }],
  ["200 without a body", { status: 200, body: "" }],
  ["a deleted key", { status: 200, headers: json, body: keyBody }],
  ["202", { status: 202, body: "" }],
])("a purge answered by %s is not a purge, and may have happened", async (_name, answer) => {
  const { client } = remote([challenge, answer]);
  for (const purge of [() => client.purgeDeletedKey("n"), () => client.purgeDeletedSecret("n")]) {
    await expect(purge()).rejects.toMatchObject({ code: "KV_PROTOCOL", mayHaveHappened: true });
  }
});

test("a purge is proven by 204; on loopback an empty 200 is enough", async () => {
  await expect(remote([challenge, { status: 204, body: "" }]).client.purgeDeletedKey("n")).resolves.toBeUndefined();
  const vaultUrl = "http://127.0.0.1:1";
  const empty = { status: 200, body: "" };
  await expect(remote([empty], { vaultUrl }).client.purgeDeletedKey("n")).resolves.toBeUndefined();
  await expect(remote([{ ...empty, body: "{}" }], { vaultUrl }).client.purgeDeletedKey("n")).rejects.toMatchObject({
    code: "KV_PROTOCOL",
  });
});

test.each<[string, Partial<VaultResponse>]>([
  ["another type", { status: 200, headers: { "content-type": "text/plain" }, body: keyBody }],
  ["another status", { status: 202, headers: json, body: keyBody }],
  ["a page", { status: 200, ...html }],
  ["nothing", { status: 200, headers: json, body: "" }],
  ["half an answer", { status: 200, headers: json, body: keyBody.slice(0, 40) }],
  ["too much", { status: 200, headers: json, body: "", overlong: true }],
])("a write answered with %s may have happened", async (_name, answer) => {
  const { client } = remote([challenge, answer]);
  await expect(secretImport(client)).rejects.toMatchObject({ code: "KV_PROTOCOL", mayHaveHappened: true });
  await expect(client.getKey("n")).rejects.toMatchObject({ code: "KV_PROTOCOL", mayHaveHappened: false });
});

test("no vault off loopback is called while certificates are not checked", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const credential = countingSource();
  const client = new KeyVaultClient({ vaultUrl: "https://v.vault.azure.net", credential });
  await expect(client.getKey("n")).rejects.toMatchObject({
    code: "KV_INVALID_INPUT",
    message: expect.stringContaining("NODE_TLS_REJECT_UNAUTHORIZED"),
  });
  expect(credential.requests).toEqual([]);
});
