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
import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { createRequire } from "node:module";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import type { Emulator } from "../emulator/index.js";
import { type Cost, EngineProject } from "./engine-project.mts";

const require = createRequire(import.meta.url);
const { startEmulator } = require("../dist/emulator/index.js") as typeof import("../emulator/index.js");

const count = Number(process.env.BENCH_KEYS ?? 500);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
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
  const vault = await startEmulator();
  const empty = await startEmulator();
  const project = await EngineProject.make(importing(KINDS[kind], "{}"), { KEYVAULT_TOKEN: vault.token }, materials);
  // The vaults run in this process, which has to go on answering while the engine works.
  const pulumi = async (...args: string[]): Promise<Cost> => {
    const before = process.cpuUsage();
    const cost = await project.pulumi(...args);
    const { user, system } = process.cpuUsage(before);
    return { ...cost, processor: cost.processor + (user + system) / 1e6 };
  };
  const update = (...args: string[]): Promise<Cost> => pulumi("up", "--yes", "--skip-preview", ...args);
  const configure = async (name: string, { url }: Emulator): Promise<void> => {
    await pulumi("config", "set", "--stack", name, "keyvault:vaultUrl", url);
    await pulumi("config", "set", "--stack", name, "keyvault:credential", "token");
  };
  try {
    await configure("dev", vault);
    const up = await update();
    const unchanged = await update();
    const refresh = await pulumi("refresh", "--yes", "--skip-preview");
    const stateBytes = project.stateBytes;
    project.program(importing(KINDS[kind], '{ changed: "yes" }'));
    const changed = await update();
    if (kind !== "folder") return { up, unchanged, refresh, changed, stateBytes };
    await pulumi("stack", "init", "eu");
    await configure("eu", empty);
    project.program(RESTORING);
    const restore = await update("--stack", "eu");
    await mustSignLikeTheLocalKeys(empty);
    return { up, unchanged, refresh, changed, stateBytes, restore };
  } finally {
    await Promise.all([vault.close(), empty.close()]);
    project.remove();
  }
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
const best = (kind: Kind, step: Step, cost: "elapsed" | "processor"): number =>
  Math.min(...results[kind].map((measured) => measured[step][cost]));

for (const kind of ["blobs", "folder"] as const) {
  for (const cost of ["elapsed", "processor"] as const) {
    const ratio = (step: Step): string => (best(kind, step, cost) / best("alone", step, cost)).toFixed(2);
    const ratios = STEPS.map((step) => `${step} ${ratio(step)}`).join(", ");
    console.log(`${count} imports and a VaultBackup (${kind}), ${cost} time of the imports alone: ${ratios}`);
  }
}
