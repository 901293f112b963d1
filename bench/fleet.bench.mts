/**
 * npm run build && node bench/fleet.bench.mts: `examples/fleet`, one stack for each vault, four stacks at a time.
 *
 *   --vaults N      default 100
 *   --keys N        keys in each vault (default 50)
 *   --quick         2 vaults of 2 keys: shows that it runs
 *
 * Elapsed seconds of `up`, `up` with nothing to do and `drift`, and the most memory that the driver and all that it started
 * had together, by `/proc` twice a second: pages that processes share are counted for each. Vaults are embedded ones.
 */
import { spawn } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineProject, megabytesOf } from "./engine-project.mts";
import { countOf, optionsOf } from "./options.mts";
import { ONCE, record } from "./record.mts";

const values = optionsOf({
  vaults: { type: "string", default: "100" },
  keys: { type: "string", default: "50" },
  quick: { type: "boolean", default: false },
});
const [vaults, keys] = values.quick ? [2, 2] : [countOf("--vaults", values.vaults), countOf("--keys", values.keys)];
const EXAMPLE = join(import.meta.dirname, "../examples/fleet");

/** What each vault holds, in the place of the example's two keys. */
const KEYS = `
import * as keyvault from "pulumi-keyvault";
export function keysOf(vaultUrl) {
  for (let i = 0; i < ${keys}; i++) {
    const name = "key-" + i;
    new keyvault.Key(name, { vaultUrl, name, import: { file: "keys/" + (i % 20) + ".pem" }, tags: { fleet: "orders" } });
  }
  return {};
}
`;

const project = await EngineProject.make("", {});
for (const file of ["fleet.js", "index.js", "vaults.js", "package.json", "Pulumi.yaml"]) {
  cpSync(join(EXAMPLE, file), join(project.folder, file));
}
writeFileSync(join(project.folder, "keys.js"), KEYS);
const names = Array.from({ length: vaults }, (_, index) => `vault-${index}`);
const urls = Object.fromEntries(names.map((name) => [name, `embedded:./${name}.vault`]));
writeFileSync(join(project.folder, "vaults.json"), JSON.stringify(urls));

const figures: string[] = [];
try {
  for (const [step, command] of [
    ["up", "up"],
    ["no-op up", "up"],
    ["drift", "drift"],
  ] as const) {
    const { seconds, megabytes } = await driven(command);
    figures.push(`${step} ${seconds.toFixed(0)} s, ${megabytes.toFixed(0)} MB`);
    console.log(`${vaults} vaults of ${keys} keys: ${figures.at(-1)}`);
  }
} finally {
  project.remove();
}
record({
  measure: `${vaults} stacks of ${keys} keys, four at a time; memory of all processes`,
  figure: figures.join("; "),
  spread: ONCE,
});

async function driven(command: string): Promise<{ seconds: number; megabytes: number }> {
  const begun = performance.now();
  const child = spawn(process.execPath, ["fleet.js", command], {
    cwd: project.folder,
    env: { ...process.env, ...project.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let megabytes = 0;
  const watch = setInterval(() => {
    megabytes = Math.max(megabytes, megabytesOf(project.folder, "VmRSS"));
  }, 500);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += chunk;
    });
  }
  const code = await new Promise((done) => child.on("close", done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`fleet.js ${command} ended with ${code}: ${text.slice(-4000)}`);
  return { seconds: (performance.now() - begun) / 1000, megabytes };
}
