import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import type { Watched } from "./drift-routes.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { key, secret } from "./providers.js";

/** Of which the tests take an expiry for the policy's. */
export const POLICY = { rotateAfter: "P90D", expireAfter: "P1Y" };

const folder = mkdtempSync(join(tmpdir(), "drift-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
/** The material that a program imports, and that somebody may import too. */
export const IMPORTED = ecKey();
const PEM_FILE = join(folder, "orders.pem");
writeFileSync(PEM_FILE, IMPORTED.pkcs8);

export type Collection = "keys" | "secrets";

/** Where an object comes from: what the program says, with and without the material, and what the vault held before. */
export interface Source {
  collection: Collection;
  args(vault: Emulator): Promise<Arguments>;
  /** What a pipeline without the material says in its place. */
  without?: Arguments;
  /** What the program leaves out is the vault's. */
  leavesRest?: true;
  /** How the program tells other material, or another version, in the place of its own. */
  material: string[];
}

const noArgs = (args: Arguments) => async () => args;
const ofKeys = { collection: "keys" } as const;
const ofSecrets = { collection: "secrets" } as const;
const left = { leavesRest: true } as const;
export const SOURCES: Record<string, Source> = {
  "a key imported inline": {
    ...ofKeys,
    args: noArgs({ import: { jwk: IMPORTED.jwk } }),
    without: { import: { env: "NOT_AT_HAND" } },
    material: ["thumbprint"],
  },
  "a key imported from a file": {
    ...ofKeys,
    args: noArgs({ import: { file: PEM_FILE } }),
    without: { import: { file: join(folder, "not-at-hand.pem") } },
    material: ["thumbprint"],
  },
  "a generated key": { ...ofKeys, args: noArgs({ generate: { keyType: "EC" } }), material: ["version"] },
  "a key restored from a blob": {
    ...ofKeys,
    ...left,
    args: async (vault) => ({ restore: { blob: (await backedUp(vault, "keys")).blob } }),
    material: ["thumbprint", "version"],
  },
  "a key restored from a KeyBackup": {
    ...ofKeys,
    ...left,
    args: async (vault) => {
      const { blob, version } = await backedUp(vault, "keys");
      return { restoreFrom: { blob, version, sourceName: "orders" } };
    },
    material: ["thumbprint", "version"],
  },
  "an adopted key": { ...ofKeys, ...left, args: made("keys", { adopt: true }), material: ["thumbprint", "version"] },
  "an adopted key with its material": {
    ...ofKeys,
    ...left,
    args: made("keys", { adopt: true, import: { jwk: IMPORTED.jwk } }),
    without: { adopt: true, import: { env: "NOT_AT_HAND" } },
    material: ["thumbprint"],
  },
  "a secret by value": { ...ofSecrets, args: noArgs({ value: "a value" }), without: {}, material: ["value"] },
  "a generated secret": { ...ofSecrets, args: noArgs({ generate: { length: 32 } }), material: ["value"] },
  "a secret restored from a blob": {
    ...ofSecrets,
    ...left,
    args: async (vault) => ({ restore: { blob: (await backedUp(vault, "secrets")).blob } }),
    material: ["version"],
  },
  "an adopted secret": { ...ofSecrets, ...left, args: made("secrets", { adopt: true }), material: ["version"] },
};

/** A program that has been deployed, and what watches it. */
export interface Setting {
  watched: Watched;
  program: Arguments;
  without: Arguments;
  state: State;
  source: Source;
}

export async function setUp(vault: Emulator, lines: string[], source: Source, declared: Arguments): Promise<Setting> {
  const isKey = source.collection === "keys";
  const resource = new DrivenResource(isKey ? key : secret, vault, { vaultUrl: vault.url, name: "orders" });
  const args = await source.args(vault);
  const program = { ...args, ...declared };
  const state = await resource.created(program);
  const without = { ...(source.without ?? args), ...declared };
  return { watched: { resource, type: isKey ? "Key" : "Secret", lines }, program, without, state, source };
}

/** A vault that held the object before the program came to it. */
function made(collection: Collection, args: Arguments) {
  return async (where: Emulator): Promise<Arguments> => {
    if (collection === "keys") await call(where, "PUT", "/keys/orders", { key: IMPORTED.jwk });
    else await call(where, "PUT", "/secrets/orders", { value: "a value" });
    return args;
  };
}

/** The blob of an object that is no longer there. */
async function backedUp(where: Emulator, collection: Collection): Promise<{ blob: string; version: string }> {
  await made(collection, {})(where);
  const { kid, id } = bundleOf(await call(where, "GET", `/${collection}/orders`));
  const { value: blob } = (await call(where, "POST", `/${collection}/orders/backup`)) as { value: string };
  await call(where, "DELETE", `/${collection}/orders`);
  await call(where, "DELETE", `/deleted${collection}/orders`);
  return { blob, version: (kid ?? id ?? "").split("/").at(-1) ?? "" };
}

function bundleOf(answer: unknown): { kid?: string; id?: string } {
  const { id, key: jwk } = answer as { id?: string; key?: { kid: string } };
  return { ...(id ? { id } : {}), ...(jwk ? { kid: jwk.kid } : {}) };
}
