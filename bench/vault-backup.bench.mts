/**
 * What one VaultBackup adds to an `up`: 500 imports alone, and the same 500 with a VaultBackup of all of them, both on
 * the real engine in one run. 1.00 is for nothing; the goal is at most 1.30. Then the folder's backup is restored into
 * an empty vault by a program of ten lines, and every key of it has to sign as the local one. Run `npm run build` first.
 *
 * Ratios are of elapsed time and of processor time (engine, program, provider and vault together): on a machine that
 * has other work too only the second can be relied on.
 *
 * BENCH_KEYS (default 500) and BENCH_ROUNDS (default 3) make it smaller or steadier.
 */
import { spawn } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import type { Emulator } from "../emulator/index.js";
import { provisionEngine } from "../tools/engine/provision.mts";

const require = createRequire(import.meta.url);
const { startEmulator } = require("../dist/emulator/index.js") as typeof import("../emulator/index.js");

const count = Number(process.env.BENCH_KEYS ?? 500);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const root = resolve(import.meta.dirname, "..");
const engine = await provisionEngine();
/** Making an RSA key costs more than importing it: a few materials serve all. */
const materials = Array.from({ length: 20 }, () =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
);

const KINDS = {
  alone: "",
  blobs: 'new keyvault.VaultBackup("all", { keys: ["*", ...keys] });',
  folder: `const all = new keyvault.VaultBackup("all", { keys: ["*", ...keys], to: { folder: "backup" } });
    exports.backup = all.restorable;`,
};
type Kind = keyof typeof KINDS;
const STEPS = ["up", "unchanged", "refresh", "changed"] as const;
type Step = (typeof STEPS)[number];
interface Cost {
  elapsed: number;
  processor: number;
}
type Measured = Record<Step, Cost> & { stateBytes: number; restore?: Cost };

const importing = (backup: string, tags: string): string => `
    const keyvault = require("pulumi-keyvault");
    const keys = [];
    for (let i = 0; i < ${count}; i++) {
      const file = "keys/" + (i % ${materials.length}) + ".pem";
      keys.push(new keyvault.Key("key" + i, { name: "key-" + i, import: { file }, tags: ${tags} }));
    }
    ${backup}`;

const RESTORING = `
    const pulumi = require("@pulumi/pulumi");
    const keyvault = require("pulumi-keyvault");
    module.exports = async () => {
      const source = new pulumi.StackReference("organization/bench/dev");
      const { secretValue: backup } = await source.getOutputDetails("backup");
      for (const [name, restore] of Object.entries(backup.keys)) new keyvault.Key(name, { restore });
    };`;

async function measure(kind: Kind): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-keyvault-bench-"));
  const vault = await startEmulator();
  const empty = await startEmulator();
  const program = (text: string): void => writeFileSync(join(folder, "index.js"), text);
  const pulumi = async (...args: string[]): Promise<Cost> => {
    const start = performance.now();
    const before = process.cpuUsage();
    const children = await run([...args, "--non-interactive"], folder, vault.token);
    const { user, system } = process.cpuUsage(before);
    return { elapsed: (performance.now() - start) / 1000, processor: children + (user + system) / 1e6 };
  };
  const update = (...args: string[]): Promise<Cost> => pulumi("up", "--yes", "--skip-preview", ...args);
  const makeStack = async (name: string, { url }: Emulator): Promise<void> => {
    await pulumi("stack", "init", name);
    await pulumi("config", "set", "--stack", name, "keyvault:vaultUrl", url);
    await pulumi("config", "set", "--stack", name, "keyvault:credential", "token");
  };
  try {
    writeProject(folder);
    await makeStack("dev", vault);
    program(importing(KINDS[kind], "{}"));
    const up = await update();
    const unchanged = await update();
    const refresh = await pulumi("refresh", "--yes", "--skip-preview");
    const stateBytes = statSync(join(folder, "state/.pulumi/stacks/bench/dev.json")).size;
    program(importing(KINDS[kind], '{ changed: "yes" }'));
    const changed = await update();
    if (kind !== "folder") return { up, unchanged, refresh, changed, stateBytes };
    await makeStack("eu", empty);
    program(RESTORING);
    const restore = await update("--stack", "eu");
    await mustSignLikeTheLocalKeys(empty);
    return { up, unchanged, refresh, changed, stateBytes, restore };
  } finally {
    await Promise.all([vault.close(), empty.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeProject(folder: string): void {
  for (const part of ["state", "home", "node_modules/@pulumi", "keys"])
    mkdirSync(join(folder, part), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/pulumi-keyvault"));
  symlinkSync(join(root, "node_modules/@pulumi/pulumi"), join(folder, "node_modules/@pulumi/pulumi"));
  for (const [index, material] of materials.entries()) writeFileSync(join(folder, `keys/${index}.pem`), material);
  const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
  writeFileSync(join(folder, "Pulumi.yaml"), `name: bench\n${runtime}`);
  writeFileSync(join(folder, "package.json"), '{ "name": "bench", "private": true, "main": "index.js" }');
}

/**
 * The vaults run in this process, which has to go on answering while the engine works.
 *
 * @returns processor seconds of the engine and all that it started, as the shell tells them.
 */
function run(args: string[], cwd: string, token: string): Promise<number> {
  const env = {
    ...engine.env,
    PULUMI_HOME: join(cwd, "home"),
    PULUMI_BACKEND_URL: `file://${join(cwd, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase for benchmarks",
    KEYVAULT_TOKEN: token,
  };
  return new Promise((done, fail) => {
    const script = 'pulumi "$@"; code=$?; times; exit $code';
    const child = spawn("bash", ["-c", script, "bash", ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        text += chunk;
      });
    }
    child.on("error", fail);
    child.on("close", (code) =>
      code === 0 ? done(childSeconds(text)) : fail(new Error(`pulumi ${args[0]} ended with ${code}: ${text}`)),
    );
  });
}

/** Of `0m1.234s 0m0.567s`, the last line of the shell's `times`: user and system time of its children. */
function childSeconds(text: string): number {
  const lines = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)];
  const [, ...numbers] = lines.at(-1) ?? [];
  const [minutes = 0, seconds = 0, systemMinutes = 0, systemSeconds = 0] = numbers.map(Number);
  return (minutes + systemMinutes) * 60 + seconds + systemSeconds;
}

async function mustSignLikeTheLocalKeys(vault: Emulator): Promise<void> {
  const options = { disableChallengeResourceVerification: true, allowInsecureConnection: true };
  const keys = new KeyClient(vault.url, vault.credential, options);
  const publicKeys = materials.map((material) => createPublicKey(createPrivateKey(material)));
  const data = Buffer.from("a text to sign");
  for (let i = 0; i < count; i++) {
    const key = await keys.getKey(`key-${i}`);
    const { result } = await new CryptographyClient(key, vault.credential, options).signData("RS256", data);
    const publicKey = publicKeys[i % publicKeys.length];
    if (!publicKey || !verify("sha256", data, publicKey, result)) throw new Error(`key-${i} signs differently`);
  }
}

const shown = ({ elapsed, processor }: Cost): string => `${elapsed.toFixed(1)} s (${processor.toFixed(1)} s cpu)`;
const results: Record<Kind, Measured[]> = { alone: [], blobs: [], folder: [] };
for (let round = 1; round <= rounds; round++) {
  for (const kind of ["alone", "blobs", "folder"] as const) {
    const measured = await measure(kind);
    results[kind].push(measured);
    const steps = STEPS.map((step) => `${step} ${shown(measured[step])}`).join(", ");
    const restored = measured.restore === undefined ? "" : `, restore ${shown(measured.restore)}, all sign`;
    console.log(
      `round ${round} ${kind.padEnd(6)} ${steps}, state ${(measured.stateBytes / 1e6).toFixed(1)} MB${restored}`,
    );
  }
}

/** The least disturbed of the rounds. */
const best = (kind: Kind, step: Step, cost: keyof Cost): number =>
  Math.min(...results[kind].map((measured) => measured[step][cost]));

for (const kind of ["blobs", "folder"] as const) {
  for (const cost of ["elapsed", "processor"] as const) {
    const ratio = (step: Step): string => (best(kind, step, cost) / best("alone", step, cost)).toFixed(2);
    const ratios = STEPS.map((step) => `${step} ${ratio(step)}`).join(", ");
    console.log(`${count} imports and a VaultBackup (${kind}), ${cost} time of the imports alone: ${ratios}`);
  }
}
