import { createServer as createHttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type Server } from "node:net";
import tls from "node:tls";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { ManualClock } from "./manual-clock.js";
import { selfSignedCertificate } from "./self-signed-certificate.js";
import { type Answer, countingSource, type SeenRequest, VaultServer } from "./vault-server.js";

const key = { key: { kid: "https://v/keys/n/0a", kty: "EC" } };
const ok: Answer = { status: 200, body: key };
const unavailable: Answer = { status: 503, body: { error: { code: "ServiceUnavailable", message: "later" } } };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});
beforeEach(() => {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"])
    vi.stubEnv(name, "");
});

async function serve(answer: (request: SeenRequest, index: number) => Answer | Promise<Answer>): Promise<VaultServer> {
  const server = await VaultServer.start(answer);
  closing.push(() => server.close());
  return server;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Waits of seconds pass at once; the time budget is never used up. */
const hasty = {
  now: () => Date.now(),
  random: () => 0,
  schedule: (ms: number, callback: () => void) => {
    const timer = setTimeout(callback, ms > 60_000 ? 60_000 : 0);
    return () => clearTimeout(timer);
  },
};

const writes: [string, (client: KeyVaultClient) => Promise<unknown>][] = [
  ["createKey", (client) => client.createKey("n", { keyType: "EC" })],
  ["importKey", (client) => client.importKey("n", { key: { kty: "oct", k: "c2VjcmV0" } })],
  ["rotateKey", (client) => client.rotateKey("n")],
  ["updateKey", (client) => client.updateKey("n", undefined, {})],
  ["deleteKey", (client) => client.deleteKey("n")],
  ["purgeDeletedKey", (client) => client.purgeDeletedKey("n")],
  ["recoverDeletedKey", (client) => client.recoverDeletedKey("n")],
  ["restoreKey", (client) => client.restoreKey("blob")],
  ["setSecret", (client) => client.setSecret("n", { value: "v" })],
  ["restoreSecret", (client) => client.restoreSecret("blob")],
];

test.each(writes)(
  "%s is never sent again when its answer is lost, and says that it may have happened",
  async (operation, run) => {
    const server = await serve(() => ({ status: 200, drop: true }));
    await expect(run(server.client({ clock: hasty }))).rejects.toMatchObject({
      code: "KV_TRANSPORT",
      operation,
      mayHaveHappened: true,
      retryable: false,
      message: expect.stringContaining("look before it is sent again"),
    });
    expect(server.authorized).toHaveLength(1);
  },
);

test.each(writes)("%s is never sent again after a 503", async (operation, run) => {
  const server = await serve(() => unavailable);
  await expect(run(server.client({ clock: hasty }))).rejects.toMatchObject({
    code: "KV_UNAVAILABLE",
    operation,
    mayHaveHappened: true,
    requestId: expect.any(String),
  });
  expect(server.authorized).toHaveLength(1);
});

test("a read is sent again when its answer is lost", async () => {
  const server = await serve((_request, index) => (index < 2 ? { status: 200, drop: true } : ok));
  await expect(server.client({ clock: hasty }).getKey("n")).resolves.toMatchObject({ name: "n" });
  expect(server.authorized).toHaveLength(3);
});

const throttled: Answer = {
  status: 429,
  body: { error: { code: "Throttled", message: "too many" } },
  headers: { "retry-after": "9" },
};

test("a throttled write that makes nothing is sent again and succeeds", async () => {
  const server = await serve((_request, index) => (index < 2 ? throttled : ok));
  await expect(server.client({ clock: hasty }).updateKey("n", undefined, {})).resolves.toMatchObject({ name: "n" });
  expect(server.authorized).toHaveLength(3);
});

test("a throttled create is told to its caller, with the wait that the service asks for", async () => {
  const server = await serve((_request, index) => (index === 0 ? throttled : ok));
  await expect(server.client().createKey("n", { keyType: "EC" })).rejects.toMatchObject({
    code: "KV_THROTTLED",
    mayHaveHappened: false,
    retryable: true,
    retryAfterMs: 9_000,
  });
  expect(server.authorized).toHaveLength(1);
});

test("a backup is a read: its lost answer is asked for again", async () => {
  const server = await serve((_request, index) =>
    index === 0 ? { status: 200, drop: true } : { status: 200, body: { value: "blob" } },
  );
  await expect(server.client({ clock: hasty }).backupKey("n")).resolves.toBe("blob");
});

test("a write to an address where nobody listens cannot have happened", async () => {
  const port = await listen(createTcpServer());
  await closing.pop()?.();
  const client = new KeyVaultClient({
    vaultUrl: `http://127.0.0.1:${port}`,
    credential: countingSource(),
    clock: hasty,
  });
  await expect(client.createKey("n", { keyType: "EC" })).rejects.toMatchObject({
    code: "KV_TRANSPORT",
    mayHaveHappened: false,
    retryable: true,
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("a call that gets no answer ends with its budget", async () => {
  const clock = new ManualClock();
  let arrived: (() => void) | undefined;
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const server = await serve(() => {
    arrived?.();
    return new Promise(() => {});
  });
  const call = server.client({ clock }).createKey("n", { keyType: "EC" }, { timeoutMs: 5_000 });
  call.catch(() => {});
  await arrival;
  await clock.advance(5_000);
  await expect(call).rejects.toMatchObject({
    code: "KV_TIMEOUT",
    mayHaveHappened: true,
    message: expect.stringContaining("did not end within 5 s"),
  });
  expect(clock.pending).toBe(0);
});

test("the caller can end a call, before it starts and while it runs", async () => {
  const caller = new AbortController();
  const server = await serve(() => {
    caller.abort(new Error("enough"));
    return new Promise(() => {});
  });
  const client = server.client();
  await expect(client.getKey("n", undefined, { signal: caller.signal })).rejects.toMatchObject({
    code: "KV_TIMEOUT",
    mayHaveHappened: false,
    message: expect.stringContaining("was cancelled"),
  });
  const sent = server.requests.length;
  await expect(client.getKey("n", undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "KV_TIMEOUT",
  });
  expect(server.requests).toHaveLength(sent);
});

test.each([301, 302, 307, 308])("a redirect (%i) is refused and not followed", async (status) => {
  const elsewhere = await serve(() => ok);
  const server = await serve(() => ({ status, headers: { location: `${elsewhere.url}/keys/n` } }));
  await expect(server.client().getKey("n")).rejects.toMatchObject({ code: "KV_PROTOCOL", status });
  expect(elsewhere.requests).toEqual([]);
});

test("an answer that is not JSON, or not of the form, is KV_PROTOCOL with paths and codes only", async () => {
  const bodies: [unknown, string][] = [
    ["<html>secret-canary</html>", "not JSON"],
    ["", "not JSON"],
    [{ key: { kid: "secret-canary", kty: "EC" } }, "key.kid: custom"],
    [{ key: { kid: "https://v/keys/n", kty: "EC" } }, "key.kid: custom"],
    [
      { key: { kid: "https://v/keys/n/0a", kty: 7 }, attributes: { exp: "secret-canary" } },
      "key.kty: invalid_type, attributes.exp: invalid_type",
    ],
  ];
  for (const [body, why] of bodies) {
    const server = await serve(() => ({ status: 200, body }));
    const failure: unknown = await server
      .client()
      .getKey("n")
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "KV_PROTOCOL",
      message: expect.stringContaining(why),
      requestId: expect.any(String),
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("canary");
  }
});

test("an answer that does not end is given up, and not asked for again", async () => {
  const server = await serve(() => ({ status: 200, body: `"${"x".repeat(5 * 1024 * 1024)}"` }));
  const client = server.client({ clock: hasty });
  await expect(client.getKey("n")).rejects.toMatchObject({
    code: "KV_PROTOCOL",
    message: expect.stringContaining("longer than any"),
  });
  expect(server.authorized).toHaveLength(1);
  await expect(client.importKey("n", { key: { kty: "oct", k: "AAAA" } })).rejects.toMatchObject({
    code: "KV_PROTOCOL",
    mayHaveHappened: true,
  });
});

test("private members that a server sends by mistake are dropped", async () => {
  const server = await serve(() => ({ status: 200, body: { key: { ...key.key, d: "c2VjcmV0", k: "c2VjcmV0" } } }));
  expect(JSON.stringify(await server.client().getKey("n"))).not.toContain("c2VjcmV0");
});

test("the environment's proxy is used for vaults, and never for loopback", async () => {
  const connects: string[] = [];
  const proxy = createHttpServer();
  proxy.on("connect", (request, socket) => {
    connects.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${await listen(proxy)}`);
  vi.stubEnv("HTTP_PROXY", process.env.HTTPS_PROXY);
  const client = new KeyVaultClient({
    vaultUrl: "https://a.vault.azure.net",
    credential: countingSource(),
    clock: hasty,
  });
  await expect(client.createKey("n", { keyType: "EC" })).rejects.toMatchObject({
    code: "KV_TRANSPORT",
    mayHaveHappened: false,
  });
  await client.close();
  expect(new Set(connects)).toEqual(new Set(["a.vault.azure.net:443"]));
  const seen = connects.length;
  await (await serve(() => ok)).client().getKey("n");
  expect(connects).toHaveLength(seen);
});

test("a name under localhost is this machine, whatever the resolver says", async () => {
  const server = await serve(() => ok);
  const client = server.client({ vaultUrl: server.url.replace("127.0.0.1", "no-such-name.localhost") });
  await expect(client.getKey("n")).resolves.toMatchObject({ name: "n" });
});

test("over TLS, a certificate counts only if its CA is trusted", async () => {
  const { certificate, privateKey } = selfSignedCertificate("localhost");
  const server = createTlsServer({ cert: certificate, key: privateKey }, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(key));
  });
  const vaultUrl = `https://localhost:${await listen(server)}`;
  const untrusting = new KeyVaultClient({ vaultUrl, credential: countingSource() });
  await expect(untrusting.createKey("n", { keyType: "EC" })).rejects.toMatchObject({
    code: "KV_TRANSPORT",
    mayHaveHappened: false,
    hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
  });
  const trusted = tls.getCACertificates("default");
  tls.setDefaultCACertificates([...trusted, certificate]);
  try {
    const trusting = new KeyVaultClient({ vaultUrl, credential: countingSource() });
    await expect(trusting.getKey("n")).resolves.toMatchObject({ name: "n" });
    await trusting.close();
  } finally {
    tls.setDefaultCACertificates(trusted);
  }
  server.closeAllConnections();
});
