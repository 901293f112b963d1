/**
 * npm run build && node bench/growth.bench.mts: how the time of an `up` and of a look grows with the number of keys, and what the provider needs for it.
 *
 *   --keys N[,N…]   numbers of keys of the set (default 100,500,2000,5000,10000)
 *   --singles N[,N…] numbers of keys of the programs with a resource for each (default 100,500,2000)
 *   --longest N     leaves out what would take more than so many seconds, to go by the numbers before it and the square (default 300)
 *   --quick         5 keys: shows that it runs
 *   --svg FILE      draws them
 *
 * A `KeySet` of a folder, a `Key` for each, `floor` and `plain` of `engine.bench.mts`; default settings of the engine. The vault is a process of its own.
 * What `engine.bench.mts` has measured in the same run is not measured again. `raw` follows the links of the vault's list with undici and does nothing else.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pool } from "undici";
import { PROGRAMS } from "./engine-programs.mts";
import { type Cost, type EngineProject, MATERIALS } from "./engine-project.mts";
import { countOf, countsOf, optionsOf } from "./options.mts";
import { rawPaging } from "./raw-paging.mts";
import { ONCE, record, recordedRows } from "./record.mts";
import { type PlottedLine, timePlot } from "./time-plot.mts";
import { type BenchVault, withVault } from "./vault-project.mts";

const values = optionsOf({
  keys: { type: "string" },
  singles: { type: "string" },
  quick: { type: "boolean", default: false },
  svg: { type: "string" },
  longest: { type: "string", default: "300" },
});
const longest = countOf("--longest", values.longest);
const counts = countsOf("--keys", values.keys ?? (values.quick ? "5" : "100,500,2000,5000,10000"));
const singles = countsOf("--singles", values.singles ?? (values.quick ? "5" : "100,500,2000"));

const SET = `
  const keyvault = require("pulumi-keyvault");
  new keyvault.KeySet("keys", { vaultUrl: process.env.VAULT_URL, import: { folder: "fleet" } });`;

interface Growth {
  up: Cost;
  unchanged: Cost;
  refresh: Cost;
  /** Seconds of paging the vault's list with nothing else. */
  raw: number;
  bytes: number;
}

const update = (project: EngineProject): Promise<Cost> => project.pulumi("up", "--yes", "--skip-preview");

async function ofSet(count: number): Promise<Growth> {
  return await withVault(SET, {}, async (project, vault) => {
    mkdirSync(join(project.folder, "fleet"));
    for (let i = 0; i < count; i++) {
      writeFileSync(join(project.folder, `fleet/key-${i}.pem`), MATERIALS[i % MATERIALS.length] ?? "");
    }
    const up = await update(project);
    const bytes = project.stateBytes / count;
    const unchanged = await update(project);
    // What was written within the last look's two seconds is read key by key: not what a later refresh costs.
    await project.pulumi("refresh", "--yes", "--skip-preview");
    const refresh = await project.pulumi("refresh", "--yes", "--skip-preview");
    return { up, unchanged, refresh, raw: await secondsOfPaging(vault, count), bytes };
  });
}

async function secondsOfPaging({ url, token }: BenchVault, count: number): Promise<number> {
  const pool = new Pool(url);
  const begun = performance.now();
  const listed = await rawPaging(pool, token);
  const elapsed = (performance.now() - begun) / 1000;
  await pool.close();
  if (listed !== count) throw new Error(`${listed} of ${count} keys were listed`);
  return elapsed;
}

const lines: PlottedLine[] = [];
console.log(
  "| keys of a set | up, s | ms a key | unchanged, s | refresh, s | raw paging, s | provider at most, MB | bytes a key |",
);
console.log("|---|---|---|---|---|---|---|---|");
const grown = new Map<number, Growth>();
for (const count of counts) {
  const growth = await ofSet(count);
  grown.set(count, growth);
  const { up, unchanged, refresh, raw, bytes } = growth;
  const peak = Math.max(up.providerPeak, unchanged.providerPeak, refresh.providerPeak);
  console.log(
    `| ${count} | ${seconds(up)} | ${perKey(up, count).toFixed(2)} | ${seconds(unchanged)} | ${seconds(refresh)} | ${raw.toFixed(2)} | ${peak.toFixed(0)} | ${bytes.toFixed(0)} |`,
  );
  record({
    measure: `KeySet of ${count}: up, no-op up, refresh, raw paging in seconds; provider's peak`,
    figure: `${seconds(up)}, ${seconds(unchanged)}, ${seconds(refresh)}, ${raw.toFixed(2)}; ${peak.toFixed(0)} MB`,
    spread: ONCE,
    goal: count === 5000 ? "no-op at most 10 s; 200 MB" : "200 MB",
  });
}
const base = grown.get(500);
for (const [count, { up }] of grown) {
  if (base === undefined || count <= 500) continue;
  const figure = (perKey(up, count) / perKey(base.up, 500)).toFixed(2);
  record({ measure: `KeySet, time a key at ${count} ÷ at 500`, figure, spread: ONCE, goal: "at most 1.2" });
}
lines.push({ name: "KeySet", points: [...grown].map(([x, { up }]) => ({ x, y: up.elapsed })) });

console.log("\n| a resource for each key | keys | up, s | provider at most, MB |\n|---|---|---|---|");
for (const name of values.quick ? (["keys"] as const) : (["floor", "keys", "plain"] as const)) {
  const points: { x: number; y: number }[] = [];
  for (const count of singles) {
    const expected = expectedSeconds(points, count);
    if (expected > longest) {
      console.log(`| ${name} | ${count} | not measured: some ${expected.toFixed(0)} by the square | |`);
      record({
        measure: `${name}, ${count} keys: up`,
        figure: `not measured: some ${expected.toFixed(0)} s by the square`,
        spread: "",
      });
      continue;
    }
    const known = recordedRows().find(({ up }) => up?.program === name && up.keys === count)?.up;
    const up = known ?? (await withVault(PROGRAMS[name](count), {}, update));
    points.push({ x: count, y: up.elapsed });
    console.log(`| ${name} | ${count} | ${seconds(up)} | ${up.providerPeak.toFixed(0)} |`);
    record({
      measure: `${name}, ${count} keys: up in seconds; provider's peak`,
      figure: `${seconds(up)}; ${up.providerPeak.toFixed(0)} MB`,
      spread: known === undefined ? ONCE : "as above",
    });
  }
  lines.push({ name, points });
}
if (values.svg !== undefined) writeFileSync(values.svg, timePlot(lines, { x: "keys", y: "seconds of an up" }));

/** Of so many keys, by the last two numbers: the engine writes all of the state for each resource, so time grows with the square. */
function expectedSeconds(points: readonly { x: number; y: number }[], count: number): number {
  const [before, last] = points.slice(-2);
  if (before === undefined || last === undefined) return 0;
  return last.y + ((last.y - before.y) * (count ** 2 - last.x ** 2)) / (last.x ** 2 - before.x ** 2);
}

function seconds({ elapsed }: Cost): string {
  return elapsed.toFixed(1);
}

function perKey({ elapsed }: Cost, count: number): number {
  return (elapsed * 1000) / count;
}
