/**
 * The embedded vault against an empty node:http(s) server in the same run: 1.00 is as fast as doing nothing. The
 * requests per second of this machine are printed for orientation only. Medians of five rounds, with the least and the most. Run with `npm run bench`, which builds first.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Pool } from "undici";
import { median, record, spread } from "./record.mts";

interface Running {
  readonly child: ChildProcess;
  readonly pool: Pool;
}
interface Started {
  url: string;
  ca?: string;
}

const slice = Number(process.env.BENCH_SLICE_MS ?? 250);
const lanes = 32;
const headers = { authorization: "Bearer bench", "content-type": "application/json" };

async function start(kind: string, scheme: string, store = ""): Promise<Running> {
  const child = fork(fileURLToPath(new URL("emulator-server.mts", import.meta.url)), [kind, scheme, store]);
  const { url, ca } = await new Promise<Started>((resolve) =>
    child.once("message", (message) => resolve(message as Started)),
  );
  const connect = ca === undefined ? {} : { connect: { ca } };
  return { child, pool: new Pool(url, { connections: lanes, pipelining: 1, ...connect }) };
}

async function stop({ child, pool }: Running): Promise<void> {
  await pool.destroy();
  child.disconnect();
}

async function send({ pool }: Running, method: "GET" | "PUT" | "POST", path: string, body?: object): Promise<string> {
  const answer = await pool.request({
    method,
    path: `${path}${path.includes("?") ? "&" : "?"}api-version=7.4`,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
  return text;
}

interface Figure {
  figure: string;
  spread: string;
}

interface Measured {
  /** Processor time of the server for one request, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
}

/** All lanes busy for a while. */
async function measure(server: Running, duration: number, run: (turn: number) => Promise<unknown>): Promise<Measured> {
  const before = await usageOf(server);
  const from = performance.now();
  let done = 0;
  let turn = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (performance.now() < from + duration) {
        await run(turn++);
        done += 1;
      }
    }),
  );
  const elapsed = performance.now() - from;
  const after = await usageOf(server);
  return { cpu: (after.cpu - before.cpu) / done, perSecond: (done * 1000) / elapsed };
}

/**
 * How much of an empty server's speed is left: by processor time, which is the same on a busy machine, and by requests
 * per second. The middle of several rounds, each of two slices that follow each other.
 */
async function compareWith(
  base: { server: Running; run: () => Promise<unknown> },
  server: Running,
  run: (turn: number) => Promise<unknown>,
): Promise<Figure> {
  await measure(server, 2 * slice, run);
  const byCpu: number[] = [];
  const byRate: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const left = await measure(base.server, slice, base.run);
    const right = await measure(server, slice, run);
    byCpu.push(left.cpu / right.cpu);
    byRate.push(right.perSecond / left.perSecond);
    rates.push(right.perSecond);
  }
  return {
    figure: `${median(byCpu).toFixed(2)} by cpu, ${median(byRate).toFixed(2)} by rate (${Math.round(median(rates))}/s)`,
    spread: `${spread(byCpu)} by cpu, ${spread(byRate)} by rate`,
  };
}

function usageOf({ child }: Running): Promise<{ memory: number; cpu: number }> {
  return new Promise((resolve) => {
    child.once("message", (message) => resolve(message as { memory: number; cpu: number }));
    child.send("usage");
  });
}

const report = (what: string, { figure, spread }: Figure) => {
  console.log(`${what.padEnd(80)} ${figure} (${spread})`);
  record({ measure: `embedded vault, ${what}`, figure, spread });
};

async function compare(scheme: "http" | "https", store: string): Promise<void> {
  const empty = await start("empty", scheme);
  const emulator = await start("emulator", scheme, store);
  const where = `${scheme}, ${store === "" ? "memory" : "file"}`;
  const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  await send(emulator, "PUT", "/keys/bench", { key: jwk });
  await send(emulator, "PUT", "/secrets/bench", { value: "x".repeat(100) });
  const base = { server: empty, run: () => send(empty, "GET", "/keys/bench") };
  await measure(empty, 2 * slice, base.run);
  const rows: [string, (turn: number) => Promise<unknown>][] = [
    ["get key", () => send(emulator, "GET", "/keys/bench")],
    ["get secret", () => send(emulator, "GET", "/secrets/bench")],
    ["set secret", (turn) => send(emulator, "PUT", `/secrets/set-${turn % 50}`, { value: "x" })],
    [
      "import key (RSA 2048, pair validated)",
      (turn) => send(emulator, "PUT", `/keys/import-${turn % 50}`, { key: jwk }),
    ],
    ["backup key (RSA 2048, one version)", () => send(emulator, "POST", "/keys/bench/backup")],
  ];
  for (const [name, run] of rows) {
    report(`${name} (${where}), speed ÷ empty server`, await compareWith(base, emulator, run));
  }
  await Promise.all([stop(empty), stop(emulator)]);
}

async function listMany(): Promise<void> {
  const emulator = await start("emulator", "http");
  const count = 10_000;
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  for (let from = 0; from < count; from += lanes) {
    const batch = Array.from({ length: Math.min(lanes, count - from) }, (_, index) => from + index);
    await Promise.all(batch.map((index) => send(emulator, "PUT", `/keys/many-${index}`, { key })));
  }
  const before = (await usageOf(emulator)).memory;
  let peak = before;
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    let listed = 0;
    let pages = 0;
    for (let path: string | undefined = "/keys"; path !== undefined; ) {
      const answer = await emulator.pool.request({ method: "GET", path: withVersion(path), headers });
      const page = (await answer.body.json()) as { value: unknown[]; nextLink: string | null };
      listed += page.value.length;
      pages += 1;
      if (pages % 100 === 0) peak = Math.max(peak, (await usageOf(emulator)).memory);
      path = page.nextLink === null ? undefined : page.nextLink.replace(/^https?:\/\/[^/]+/, "");
    }
    if (listed !== count) throw new Error(`Listed ${listed} of ${count} keys.`);
    times.push(performance.now() - began);
  }
  report(`list of ${count} keys, all pages`, {
    figure: `${Math.round(median(times))} ms, memory grows by ${Math.round((peak - before) / 1e6)} MB`,
    spread: `${spread(times, 0)} ms`,
  });
  await stop(emulator);
}

const withVersion = (path: string) => (path.includes("api-version") ? path : `${path}?api-version=7.4`);

/** From `require` to the first answer, in a fresh process. */
async function coldStart(): Promise<void> {
  const code = `
    const from = performance.now();
    const { startEmulator } = require(${JSON.stringify(fileURLToPath(new URL("../dist/emulator/index.js", import.meta.url)))});
    startEmulator().then((emulator) => require("node:http").get(emulator.url + "/keys?api-version=7.4", { headers: { authorization: "Bearer x" } }, (answer) => {
      answer.resume();
      answer.on("end", () => { process.send(performance.now() - from); emulator.close(); });
    }));`;
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    times.push(await timeOf(code));
  }
  report("cold start to the first answer, in process (median of 5)", {
    figure: `${Math.round(median(times))} ms`,
    spread: `${spread(times, 0)} ms`,
  });
}

function timeOf(code: string): Promise<number> {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve) => child.once("message", (message) => resolve(Number(message))));
}

const folder = mkdtempSync(join(tmpdir(), "kv-bench-"));
try {
  await coldStart();
  await compare("http", "");
  await compare("http", join(folder, "bench.vault"));
  await compare("https", "");
  await listMany();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
