/**
 * What one VaultBackup adds to an `up`: 500 imports alone, and the same 500 with a VaultBackup of all of them, both on
 * the real engine in one run. 1.00 is for nothing; the goal is at most 1.30. Run `npm run build` first.
 *
 * BENCH_KEYS (default 500) and BENCH_ROUNDS (default 3) make it smaller or steadier.
 */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { provisionEngine } from "../tools/engine/provision.mts";

const require = createRequire(import.meta.url);
const { startEmulator } = require("../dist/emulator/index.js") as typeof import("../emulator/index.js");

const count = Number(process.env.BENCH_KEYS ?? 500);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const root = resolve(import.meta.dirname, "..");
const engine = await provisionEngine();

const BACKUPS = {
  alone: "",
  blobs: 'new keyvault.VaultBackup("all", { keys: "*" }, { dependsOn: keys });',
  folder: 'new keyvault.VaultBackup("all", { keys: "*", to: { folder: "backup" } }, { dependsOn: keys });',
};

interface Measured {
  up: number;
  unchanged: number;
  stateBytes: number;
}

async function measure(backup: string): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-keyvault-bench-"));
  const vault = await startEmulator();
  try {
    writeProject(folder, backup);
    const env = {
      ...engine.env,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for benchmarks",
      KEYVAULT_TOKEN: vault.token,
    };
    const pulumi = async (...args: string[]): Promise<number> => {
      const start = performance.now();
      await run([...args, "--non-interactive"], folder, env);
      return (performance.now() - start) / 1000;
    };
    await pulumi("stack", "init", "dev");
    await pulumi("config", "set", "keyvault:vaultUrl", vault.url);
    await pulumi("config", "set", "keyvault:credential", "token");
    const up = await pulumi("up", "--yes", "--skip-preview");
    const unchanged = await pulumi("up", "--yes", "--skip-preview");
    const states = join(folder, "state/.pulumi/stacks/bench");
    const state = readdirSync(states).find((name) => name === "dev.json") ?? "";
    return { up, unchanged, stateBytes: statSync(join(states, state)).size };
  } finally {
    await vault.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const materials = Array.from({ length: 20 }, () =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
);

function writeProject(folder: string, backup: string): void {
  for (const part of ["state", "home", "node_modules/@pulumi", "keys"])
    mkdirSync(join(folder, part), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/pulumi-keyvault"));
  symlinkSync(join(root, "node_modules/@pulumi/pulumi"), join(folder, "node_modules/@pulumi/pulumi"));
  for (const [index, material] of materials.entries()) writeFileSync(join(folder, `keys/${index}.pem`), material);
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: bench\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
  );
  writeFileSync(join(folder, "package.json"), '{ "name": "bench", "private": true, "main": "index.js" }');
  writeFileSync(
    join(folder, "index.js"),
    `const keyvault = require("pulumi-keyvault");
    const keys = [];
    for (let i = 0; i < ${count}; i++) {
      keys.push(new keyvault.Key("key" + i, { name: "key-" + i, import: { file: "keys/" + (i % 20) + ".pem" } }));
    }
    ${backup}`,
  );
}

/** The vault runs in this process: it has to go on answering while the engine works. */
async function run(args: string[], cwd: string, env: Record<string, string>): Promise<void> {
  await new Promise<void>((done, fail) => {
    const child = spawn("pulumi", args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.on("error", fail);
    child.on("close", (code) =>
      code === 0 ? done() : fail(new Error(`pulumi ${args[0]} ended with ${code}: ${text}`)),
    );
  });
}

const results: Record<keyof typeof BACKUPS, Measured[]> = { alone: [], blobs: [], folder: [] };
for (let round = 1; round <= rounds; round++) {
  for (const kind of ["alone", "blobs", "folder"] as const) {
    const measured = await measure(BACKUPS[kind]);
    results[kind].push(measured);
    console.log(
      `round ${round} ${kind.padEnd(6)} up ${measured.up.toFixed(1)} s, unchanged ${measured.unchanged.toFixed(1)} s, state ${(measured.stateBytes / 1e6).toFixed(1)} MB`,
    );
  }
}

/** The least disturbed of the rounds. */
const best = (kind: keyof typeof BACKUPS, what: "up" | "unchanged"): number =>
  Math.min(...results[kind].map((measured) => measured[what]));

for (const kind of ["blobs", "folder"] as const) {
  const up = best(kind, "up") / best("alone", "up");
  const unchanged = best(kind, "unchanged") / best("alone", "unchanged");
  console.log(
    `${count} imports and a VaultBackup (${kind}): up ${up.toFixed(2)}, unchanged up ${unchanged.toFixed(2)} of the imports alone`,
  );
}
