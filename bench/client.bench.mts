/**
 * The client against raw undici with the same bytes and as many connections, in one process: 1.00 is as fast as sending and reading the text alone. And
 * against `@azure/keyvault-keys`. The server is an own process with fixed answers. Rounds alternate, and the middle one counts. Run with `npm run bench`, which
 * builds first.
 */
import { fork } from "node:child_process";
import { createServer } from "node:http";
import { KeyClient } from "@azure/keyvault-keys";
import { Pool } from "undici";
import { median, record, spread } from "./record.mts";

const slice = Number(process.env.BENCH_SLICE_MS ?? 250);
const rounds = Number(process.env.BENCH_ROUNDS ?? 9);

if (process.argv[2] === "server") {
  const { answers } = JSON.parse(process.argv[3] ?? "{}");
  const challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"';
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const kind = request.method === "GET" ? "get" : request.method === "PUT" ? "import" : "backup";
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": challenge }).end();
      else response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(answers[kind]);
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
  process.on("disconnect", () => process.exit());
} else await run();

async function run(): Promise<void> {
  const { KeyVaultClient } = await import("../dist/provider/keyvault/client.js");
  const n = "u".repeat(342);
  const e = "AQAB";
  const version = "0123456789abcdef0123456789abcdef";
  const attributes = {
    enabled: true,
    created: 1_700_000_000,
    updated: 1_700_000_000,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
    exportable: false,
  };
  const key_ops = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
  const bundle = JSON.stringify({
    key: { kid: `https://v.vault.azure.net/keys/orders/${version}`, kty: "RSA", key_ops, n, e },
    attributes,
    tags: { team: "orders" },
  });
  const answers = { get: bundle, import: bundle, backup: JSON.stringify({ value: "A".repeat(8_000) }) };
  const child = fork(new URL(import.meta.url).pathname, ["server", JSON.stringify({ answers })]);
  const { port } = await new Promise<{ port: number }>((resolve) =>
    child.once("message", (message) => resolve(message as { port: number })),
  );
  const origin = `http://127.0.0.1:${port}`;
  const jwk = {
    kty: "RSA",
    n,
    e,
    d: n,
    p: n.slice(0, 171),
    q: n.slice(0, 171),
    dp: n.slice(0, 171),
    dq: n.slice(0, 171),
    qi: n.slice(0, 171),
  };
  const body = JSON.stringify({ key: jwk, tags: { team: "orders" } });
  const client = new KeyVaultClient({
    vaultUrl: origin,
    credential: { getToken: async () => ({ token: "bench", expiresOn: new Date(Date.now() + 3_600_000) }) },
  });
  const pool = new Pool(origin, { connections: 64 });
  const headers = { accept: "application/json", "user-agent": "pulumi-keyvault", authorization: "Bearer bench" };
  const raw = async (method: "GET" | "PUT" | "POST", path: string, text?: string) => {
    const answer = await pool.request({
      method,
      path: `${path}?api-version=7.4`,
      headers: text ? { ...headers, "content-type": "application/json" } : headers,
      ...(text ? { body: text } : {}),
    });
    return await answer.body.text();
  };
  const official = new KeyClient(
    origin,
    { getToken: async () => ({ token: "bench", expiresOnTimestamp: Date.now() + 3_600_000 }) },
    { disableChallengeResourceVerification: true, allowInsecureConnection: true },
  );
  const bytes = Object.fromEntries(
    Object.entries(jwk).map(([member, text]) => [member, member === "kty" ? text : Buffer.from(text, "base64url")]),
  );
  type Operation = () => Promise<unknown>;
  const operations: [name: string, ours: Operation, raw: Operation, official: Operation][] = [
    ["get", () => client.getKey("orders"), () => raw("GET", "/keys/orders"), () => official.getKey("orders")],
    [
      "import",
      () => client.importKey("orders", { key: jwk, tags: { team: "orders" } }),
      () => raw("PUT", "/keys/orders", body),
      () => official.importKey("orders", bytes, { tags: { team: "orders" } }),
    ],
    [
      "backup",
      () => client.backupKey("orders"),
      () => raw("POST", "/keys/orders/backup"),
      () => official.backupKey("orders"),
    ],
  ];
  for (const [name, ours, raw, official] of operations) {
    for (const lanes of [1, 8, 32]) {
      for (const warmUp of [ours, raw, official]) await measured(warmUp, lanes);
      const ratios = { raw: [] as number[], official: [] as number[], processor: [] as number[] };
      const speeds: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const before = await measured(raw, lanes);
        const own = await measured(ours, lanes);
        const after = await measured(raw, lanes);
        ratios.raw.push((2 * own.perSecond) / (before.perSecond + after.perSecond));
        ratios.processor.push((before.processor + after.processor) / (2 * own.processor));
        ratios.official.push(own.perSecond / (await measured(official, lanes)).perSecond);
        speeds.push(own.perSecond);
      }
      const [ofRaw, ofOfficial] = [median(ratios.raw).toFixed(2), median(ratios.official).toFixed(1)];
      console.log(
        `${name.padEnd(6)} ${String(lanes).padStart(2)} parallel: ${ofRaw} of raw undici, ${ofOfficial} of @azure/keyvault-keys (${Math.round(median(speeds))} a second); by this process's processor time ${median(ratios.processor).toFixed(2)} of raw undici`,
      );
      const measure = `client, ${name}, ${lanes} parallel, operations a second`;
      record({ measure: `${measure}, ÷ raw undici`, figure: ofRaw, spread: spread(ratios.raw), goal: "at least 0.85" });
      record({
        measure: `${measure}, ÷ @azure/keyvault-keys`,
        figure: ofOfficial,
        spread: spread(ratios.official, 1),
        goal: "at least 2.5",
      });
    }
  }
  await client.close();
  await pool.close();
  child.disconnect();
}

/** Calls a second, and milliseconds of this process's processor time a call, which a busy machine changes less. */
async function measured(
  operation: () => Promise<unknown>,
  lanes: number,
): Promise<{ perSecond: number; processor: number }> {
  const from = performance.now();
  const used = process.cpuUsage();
  let done = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (performance.now() < from + slice) {
        await operation();
        done++;
      }
    }),
  );
  const { user, system } = process.cpuUsage(used);
  return { perSecond: (done * 1000) / (performance.now() - from), processor: (user + system) / 1000 / done };
}
