import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { listKeys } from "pulumi-keyvault";
import { Pool } from "undici";
import { rawPaging } from "./raw-paging.mts";
import { median, record, spread } from "./record.mts";

// npm run build && node bench/listing.bench.mts: what listKeys costs on 10,000 keys, beside raw paging with undici in the same
// process and the same run. The service takes 10 ms and more for a page. A server that takes none shows what reading
// and checking the items costs by itself, which nothing hides then: that line sets no limit.

const KEYS = 10_000;
const ROUNDS = 7;

process.env.KEYVAULT_TOKEN = "a-token-for-benchmarks";
let failed = false;
for (const latency of [0, 2]) {
  const server = fork(join(import.meta.dirname, "listing-server.mts"), [String(KEYS), String(latency)]);
  const [{ port }] = (await once(server, "message")) as [{ port: number }];
  const url = `http://127.0.0.1:${port}`;
  const pool = new Pool(url);
  const readers = {
    raw: async () => mustBeAll(await rawPaging(pool, process.env.KEYVAULT_TOKEN ?? "")),
    listKeys: () => streamed(url),
  };
  for (const read of Object.values(readers)) await read();

  const peak = await peakGrowth(readers.listKeys);
  const times = { raw: [] as number[], listKeys: [] as number[] };
  for (let round = 0; round < (latency === 0 ? ROUNDS : 3); round++) {
    for (const name of ["raw", "listKeys"] as const) times[name].push(await seconds(readers[name]));
  }
  const ratios = times.listKeys.map((time, round) => time / (times.raw[round] ?? Number.NaN));
  const ratio = median(ratios);
  const hasLimit = latency > 0;
  failed ||= peak > 20 || (hasLimit && ratio > 1.1);
  console.log(
    `${KEYS} keys, ${latency} ms a page: raw undici ${median(times.raw).toFixed(3)} s, listKeys ${median(times.listKeys).toFixed(3)} s, ratio ${ratio.toFixed(2)}${hasLimit ? " (at most 1.10)" : ""}, peak growth ${peak.toFixed(1)} MB (at most 20)`,
  );
  record({
    measure: `listKeys of ${KEYS} keys, ${latency} ms a page, ÷ raw undici; growth of memory`,
    figure: `${ratio.toFixed(2)}; ${peak.toFixed(1)} MB`,
    spread: `${spread(ratios)}; once`,
    goal: hasLimit ? "at most 1.10; 20 MB" : "20 MB",
  });
  await pool.close();
  server.kill();
}
process.exitCode = failed ? 1 : 0;

async function streamed(url: string): Promise<number> {
  let count = 0;
  for await (const _key of listKeys(url, { credential: "token" })) count++;
  return mustBeAll(count);
}

function mustBeAll(count: number): number {
  if (count !== KEYS) throw new Error(`${count} keys were listed instead of ${KEYS}`);
  return count;
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** MB by which the resident set grows at most while a list is read. */
async function peakGrowth(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampler = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 5);
  await run();
  clearInterval(sampler);
  return (Math.max(most, process.memoryUsage.rss()) - before) / 1024 / 1024;
}
