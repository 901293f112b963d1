import { expect, test } from "vitest";
import { replayInClientMode } from "../../conformance/client-mode.js";
import { parseRecording } from "../../conformance/recording.js";

const VERSION = "0123456789abcdef0123456789abcdef";
const kid = `https://v.vault.azure.net/keys/n/${VERSION}`;
const bundle = { key: { kid, kty: "EC", crv: "P-256", x: "AQ", y: "Ag" }, attributes: { enabled: true, created: 1 } };
const challenge = {
  status: 401,
  headers: {
    "WWW-Authenticate": 'Bearer authorization="https://login.windows.net/t", resource="https://vault.azure.net"',
  },
  body: null,
};

const recordingOf = (...exchanges: { request: object; response: object }[]) =>
  parseRecording(
    "made-up.json",
    JSON.stringify({
      plane: "vault",
      exchanges: exchanges.map(({ request, response }) => ({
        request: { query: {}, headers: {}, body: null, ...request },
        response: { headers: {}, body: null, ...response },
      })),
    }),
  );
const get = (path: string) => ({ method: "GET", path });
const refusal = (code: string, inner?: string) => ({
  error: { code, message: "m", ...(inner ? { innererror: { code: inner } } : {}) },
});

test("a scenario that the client reads as it is passes", async () => {
  const recording = recordingOf(
    { request: get("/keys/n/"), response: challenge },
    { request: get("/keys/n/"), response: { status: 200, body: bundle } },
    { request: get(`/keys/n/${VERSION}`), response: { status: 404, body: refusal("KeyNotFound") } },
    { request: { method: "DELETE", path: "/deletedkeys/n" }, response: { status: 204, body: [] } },
    {
      request: { ...get("/keys"), query: { maxresults: "1" } },
      response: { status: 200, body: { value: [{ kid }], nextLink: "https://v:443/keys?$skiptoken=a b&maxresults=1" } },
    },
    { request: { method: "PUT", path: "/secrets/" }, response: { status: 405, body: refusal("MethodNotAllowed") } },
    {
      request: { method: "PUT", path: "/secrets/n" },
      response: { status: 409, body: refusal("Conflict", "ObjectIsBeingDeleted") },
    },
    { request: { method: "POST", path: "/keys/n/create" }, response: { status: 429, body: refusal("Throttled") } },
    { request: { method: "POST", path: "/keys/n/backup" }, response: { status: 500, body: ["<html>\r\n", "</html>"] } },
  );
  await expect(replayInClientMode(recording)).resolves.toEqual({ status: "passed" });
});

test("an answer that the client cannot read fails with the number of its exchange", async () => {
  const verdict = await replayInClientMode(
    recordingOf(
      { request: get("/keys/n"), response: { status: 200, body: bundle } },
      { request: get("/keys/n"), response: { status: 200, body: { ...bundle, key: { ...bundle.key, kid: "?" } } } },
    ),
  );
  expect(verdict).toMatchObject({
    status: "failed",
    failures: [expect.stringContaining("exchange 1 GET /keys/n 200")],
  });
});

test.each([
  ["certificates and storage planes", get("/certificates/c"), { status: 200, body: {} }],
  ["certificates and storage planes", get("/deletedstorage/s"), { status: 404, body: refusal("X") }],
  ["operations outside keys and secrets", { method: "POST", path: "/rng" }, { status: 400, body: refusal("X") }],
  ["bodies that the recorder destroyed", get("/keys/n"), { status: 200, body: null }],
])("%s are skipped with that reason", async (reason, request, response) => {
  await expect(replayInClientMode(recordingOf({ request, response }))).resolves.toEqual({ status: "skipped", reason });
});

test("what can be played counts, whatever else the file holds", async () => {
  const recording = recordingOf(
    { request: get("/certificates/c"), response: { status: 200, body: {} } },
    { request: get("/keys/n"), response: { status: 200, body: bundle } },
  );
  await expect(replayInClientMode(recording)).resolves.toEqual({ status: "passed" });
});
