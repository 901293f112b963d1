import { afterEach, expect, test } from "vitest";
import { type Answer, type SeenRequest, VaultServer } from "./vault-server.js";

const VERSION = "0123456789abcdef0123456789abcdef";
const keyBody = {
  key: { kid: `https://gateway.example:8443/keys/orders/${VERSION}`, kty: "EC", crv: "P-256", x: "AQ", y: "Ag" },
  attributes: { enabled: true, nbf: 0, created: 1700000000, updated: 1700000001, recoveryLevel: "Purgeable" },
};
const deletedKeyBody = { ...keyBody, recoveryId: "r", deletedDate: 1700000002, scheduledPurgeDate: 1700600002 };
const secretBody = {
  id: `https://v.vault.azure.net/secrets/db/${VERSION}`,
  value: "s",
  attributes: { enabled: false },
};

let server: VaultServer;
const serve = async (answer: (request: SeenRequest, index: number) => Answer) => {
  server = await VaultServer.start(answer);
  return server.client();
};
afterEach(() => server.close());

test("a key is read with dates as Dates, epoch 0 among them, and its name from whatever host the id names", async () => {
  const client = await serve(() => ({ status: 200, body: keyBody }));
  await expect(client.getKey("orders")).resolves.toEqual({
    id: keyBody.key.kid,
    name: "orders",
    version: VERSION,
    keyType: "EC",
    curve: "P-256",
    keySize: 256,
    publicKey: { kty: "EC", crv: "P-256", x: "AQ", y: "Ag" },
    enabled: true,
    notBefore: new Date(0),
    createdOn: new Date(1700000000_000),
    updatedOn: new Date(1700000001_000),
    recoveryLevel: "Purgeable",
    tags: {},
    managed: false,
  });
  expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "GET /keys/orders?api-version=7.4",
    "GET /keys/orders?api-version=7.4",
  ]);
});

test("every operation sends the method and path of the reference", async () => {
  const client = await serve(({ url, method, body }) => {
    if (method === "DELETE" && url.startsWith("/deleted")) return { status: 204 };
    if (url.includes("/backup")) return { status: 200, body: { value: "blob" } };
    if (url.includes("/rotationpolicy")) return { status: 200, body: { lifetimeActions: [], attributes: null } };
    if (/^\/(deleted)?(keys|secrets)(\?|\/[^/]+\/versions)/.test(url)) return { status: 200, body: { value: [] } };
    const sent = body === "" ? {} : JSON.parse(body);
    const { key, kty = key?.kty ?? "oct", crv, attributes, tags } = sent;
    const said = { ...attributes, created: 1700000000 };
    if (url.includes("secrets"))
      return { status: 200, body: { ...secretBody, id: `https://v/secrets/n/${VERSION}`, attributes: said, tags } };
    const answered = { kid: `https://v/keys/n/${VERSION}`, kty: key ? `${kty}-HSM` : kty, crv };
    return { status: 200, body: { ...deletedKeyBody, key: answered, attributes: said, tags } };
  });
  const key = { kty: "oct", k: "AAAA" };
  await client.getKey("n");
  server.requests.length = 0;
  const all = async (list: AsyncIterable<unknown>) => {
    for await (const item of list) expect(item).toBeUndefined();
  };
  await client.createKey("n", { keyType: "EC", curve: "P-521", tags: {} });
  await client.importKey("n", { key, hardwareProtected: true, keyOps: ["sign"], notBefore: new Date(1999) });
  await client.rotateKey("n");
  await client.updateKey("n", undefined, { enabled: false });
  await client.updateKey("n", VERSION, { keyOps: [] });
  await client.getKey("n", VERSION);
  await client.deleteKey("n");
  await client.getDeletedKey("n");
  await client.recoverDeletedKey("n");
  await client.purgeDeletedKey("n");
  await client.backupKey("n");
  await client.restoreKey("blob");
  await client.getKeyRotationPolicy("n");
  await client.updateKeyRotationPolicy("n", {
    lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P7D" }],
    expiryTime: "P90D",
  });
  await all(client.getKeys({ maxPageSize: 3 }));
  await all(client.getKeyVersions("n"));
  await all(client.getDeletedKeys());
  await client.setSecret("n", { value: "", contentType: "text/plain" });
  await client.getSecret("n");
  await client.updateSecret("n", undefined, { tags: { a: "b" } });
  await client.deleteSecret("n");
  await client.getDeletedSecret("n");
  await client.recoverDeletedSecret("n");
  await client.purgeDeletedSecret("n");
  await client.backupSecret("n");
  await client.restoreSecret("blob");
  await all(client.getSecrets());
  await all(client.getSecretVersions("n"));
  await all(client.getDeletedSecrets());
  expect(
    server.requests.map(({ method, url, body }) => `${method} ${url.replace("api-version=7.4", "v")} ${body}`),
  ).toEqual([
    'POST /keys/n/create?v {"kty":"EC","crv":"P-521","tags":{}}',
    'PUT /keys/n?v {"Hsm":true,"key":{"kty":"oct","k":"AAAA","key_ops":["sign"]},"attributes":{"nbf":1}}',
    "POST /keys/n/rotate?v ",
    'PATCH /keys/n?v {"attributes":{"enabled":false}}',
    `PATCH /keys/n/${VERSION}?v {"key_ops":[]}`,
    `GET /keys/n/${VERSION}?v `,
    "DELETE /keys/n?v ",
    "GET /deletedkeys/n?v ",
    "POST /deletedkeys/n/recover?v ",
    "DELETE /deletedkeys/n?v ",
    "POST /keys/n/backup?v ",
    'POST /keys/restore?v {"value":"blob"}',
    "GET /keys/n/rotationpolicy?v ",
    'PUT /keys/n/rotationpolicy?v {"lifetimeActions":[{"trigger":{"timeAfterCreate":"P7D"},"action":{"type":"Rotate"}}],"attributes":{"expiryTime":"P90D"}}',
    "GET /keys?v&maxresults=3 ",
    "GET /keys/n/versions?v ",
    "GET /deletedkeys?v ",
    'PUT /secrets/n?v {"value":"","contentType":"text/plain"}',
    "GET /secrets/n?v ",
    'PATCH /secrets/n?v {"tags":{"a":"b"}}',
    "DELETE /secrets/n?v ",
    "GET /deletedsecrets/n?v ",
    "POST /deletedsecrets/n/recover?v ",
    "DELETE /deletedsecrets/n?v ",
    "POST /secrets/n/backup?v ",
    'POST /secrets/restore?v {"value":"blob"}',
    "GET /secrets?v ",
    "GET /secrets/n/versions?v ",
    "GET /deletedsecrets?v ",
  ]);
});

test("no name climbs out of its collection", async () => {
  const client = await serve(() => ({ status: 200, body: keyBody }));
  for (const name of ["..", ".", "a/b", "a\\b"]) {
    await expect(client.getKey(name)).rejects.toMatchObject({ code: "KV_INVALID_INPUT" });
  }
  expect(server.requests).toEqual([]);
});
