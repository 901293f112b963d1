import { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { callerOf } from "./vault-caller.js";

/** 100,000 are run before a release: GENERATED_REQUESTS=100000. */
const count = Number(process.env.GENERATED_REQUESTS ?? 3_000);
const failures: unknown[] = [];

const name = fc.constantFrom(
  "a",
  "B",
  "b",
  "orders",
  "a-b",
  "x".repeat(127),
  "x".repeat(128),
  "ä",
  "a_b",
  "%",
  "..",
  "",
);
const segment = fc.oneof(
  { weight: 6, arbitrary: name },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "create",
      "versions",
      "backup",
      "restore",
      "recover",
      "rotationpolicy",
      "rotate",
      "sign",
      "verify",
      "encrypt",
      "decrypt",
      "wrapkey",
      "release",
      "attestation",
      "0".repeat(32),
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
const collection = fc.constantFrom(
  "keys",
  "secrets",
  "deletedkeys",
  "deletedsecrets",
  "rng",
  "KEYS",
  "certificates",
  "",
);
const path = fc
  .tuple(collection, fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/"))
  .map(([first, rest, end]) => `/${[first, ...rest.map(encodeURIComponent)].join("/")}${end}`);
const brokenPath = fc.string({ minLength: 1, maxLength: 30 }).map((text) => `/keys/${text.replace(/[^!-~]/g, "%")}`);
const query = fc.constantFrom(
  "api-version=7.4",
  "api-version=7.4",
  "api-version=7.4&maxresults=1",
  "api-version=7.4&maxresults=0",
  "api-version=7.4&maxresults=abc",
  "api-version=7.4&$skiptoken=eyJ9",
  "api-version=7.4&$skiptoken=%00",
  "api-version=9999",
  "api-version=2016-10-01",
  "api-version=2026-04-01&outContentType=application/x-pem-file",
  "api-version=2026-03-01-preview",
  "",
  "%",
);
const leaf = fc.oneof(
  fc.constantFrom("RSA", "EC", "EC-HSM", "oct", "P-256", "P-521", "sign", "import", "AQAB", "RS256", "A256GCM", ""),
  fc.string({ maxLength: 40 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const member = fc.constantFrom(
  "kty",
  "crv",
  "key_size",
  "key_ops",
  "key",
  "value",
  "tags",
  "attributes",
  "exp",
  "nbf",
  "enabled",
  "exportable",
  "release_policy",
  "external_key",
  "id",
  "lifetimeActions",
  "trigger",
  "action",
  "timeAfterCreate",
  "expiryTime",
  "alg",
  "digest",
  "n",
  "e",
  "d",
  "x",
  "y",
  "k",
  "key_hsm",
  "data",
  "count",
  "target",
  "__proto__",
  "constructor",
);
const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    leaf,
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(member, tie("node"), { maxKeys: 5 }),
  ),
}));
const likely = fc.oneof(
  fc.constant({ kty: "EC" }),
  fc.record({ value: fc.string(), tags: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 })) }),
  fc.record({ kty: fc.constantFrom("EC", "EC-HSM"), attributes: fc.dictionary(member, leaf, { maxKeys: 3 }) }),
  fc.record({
    alg: fc.constantFrom("ES256", "RS256", "A256KW", "none"),
    value: fc.base64String(),
    digest: fc.base64String(),
  }),
  fc.record({ key: fc.dictionary(member, leaf, { maxKeys: 6 }), Hsm: fc.boolean() }),
);
const body = fc.oneof(
  { weight: 4, arbitrary: likely.map((value) => JSON.stringify(value)) },
  { weight: 4, arbitrary: node.map((value) => JSON.stringify(value) ?? "") },
  { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(`${"[".repeat(20_000)}`, '{"kty":"EC","kty":"RSA","key_size":1}', "\u0000", '"\\ud800"'),
  },
);
const method = fc.constantFrom(
  "GET",
  "GET",
  "PUT",
  "POST",
  "POST",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
);
const request = fc.record({
  method,
  path: fc.oneof({ weight: 8, arbitrary: path }, { weight: 1, arbitrary: brokenPath }),
  query,
  body,
  token: fc.constantFrom("x", "x", "x", "x", null, "a.b.c", "e30.e30."),
});

function isEnvelope(text: string): boolean {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null && "error" in parsed;
}

function judge(emulator: Emulator, status: number, text: string, given: { method: string; path: string }) {
  if (failures.length > 0) throw failures[0];
  const isFrontEnd = given.path.includes("%25");
  if (status < 400 || given.method === "HEAD" || isFrontEnd || text === "OK") return;
  expect(isEnvelope(text), `${given.method} ${given.path} on ${emulator.url}: ${status}`).toBe(true);
  expect(status).not.toBe(500);
}

describe("requests that nobody would send", () => {
  for (const plane of ["vault", "managedhsm"] as const) {
    it(`get the service's envelope from a ${plane}`, async () => {
      const emulator = await startEmulator({
        vaults: [{ name: "fuzzed", plane }],
        onFailure: (error) => failures.push(error),
      });
      const call = callerOf(emulator);
      try {
        await fc.assert(
          fc.asyncProperty(request, async (given) => {
            const target = `${given.path}?${given.query}`;
            const answered = await call(given.method, target, undefined, {
              apiVersion: null,
              token: given.token,
              ...(given.method === "GET" || given.method === "HEAD" ? {} : { raw: given.body }),
            });
            judge(emulator, answered.status, answered.text, given);
          }),
          { numRuns: Math.ceil(count / 2), seed: 20_261_123 },
        );
        expect((await call("PUT", "/keys/alive", { key: {} })).status).toBe(400);
        expect(process.memoryUsage().heapUsed).toBeLessThan(400 * 1024 * 1024);
      } finally {
        await emulator.close();
      }
    }, 600_000);
  }

  it("may be any bytes at all", async () => {
    const emulator = await startEmulator({ onFailure: (error) => failures.push(error) });
    try {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, headed) => {
          const start = headed ? Buffer.from("GET /keys?api-version=7.4 HTTP/1.1\r\nHost: x\r\n") : Buffer.alloc(0);
          const text = await exchange(emulator.port, Buffer.concat([start, bytes, Buffer.from("\r\n\r\n")]));
          if (text !== "") expect(text.startsWith("HTTP/1.1 ")).toBe(true);
          if (failures.length > 0) throw failures[0];
        }),
        { numRuns: Math.min(2_000, Math.ceil(count / 10)), seed: 20_261_123 },
      );
      expect((await callerOf(emulator)("GET", "/keys")).status).toBe(200);
    } finally {
      await emulator.close();
    }
  }, 120_000);
});

/** Sends bytes, says that nothing follows, and gives what came back. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = new Socket();
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
    socket.connect(port, "127.0.0.1", () => socket.end(bytes));
  });
}
