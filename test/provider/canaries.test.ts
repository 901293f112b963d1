import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { identity, startEngineRun } from "./engine-run.js";
import { canaryText, found as foundIn, plain, shownBy } from "./planted-secrets.js";
import { key, keyBackup, keyInventory, secret, vaultBackup } from "./providers.js";

type Arguments = Record<string, unknown>;

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const jwk = pair.export({ format: "jwk" });
const passphrase = canaryText("passphrase");
const pem = String(pair.export({ format: "pem", type: "pkcs8" }));
const locked = String(pair.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }));
const value = canaryText("value");
const blob = `${randomBytes(90).toString("base64url")}`;
const environment = canaryText("environment");
const tag = canaryText("tag");
const keeper = canaryText("keeper");
const contentType = canaryText("contentType");
const password = canaryText("password").replaceAll(" ", "-");
const line = (text: string): string => text.split("\n")[3] ?? "";

/** Everything that must show nowhere. Long ones by their beginning, since a message may be cut. */
const CANARIES: readonly string[] = [
  ...[jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map((number) => String(number).slice(0, 24)),
  line(pem),
  line(locked).slice(0, 24),
  passphrase,
  value,
  blob.slice(0, 24),
  environment,
  password,
];
/** What the program marked as a secret, and so state holds encrypted: in no message all the same. */
const MARKED: readonly string[] = [tag, keeper, contentType];

let vault: Emulator;
let printed = "";

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  startEngineRun(vault);
  vi.stubEnv("CANARY_PASSPHRASE", passphrase);
  vi.stubEnv("CANARY_OTHER", environment);
  vi.stubEnv("CANARY_PEM", locked);
  vi.stubEnv("AZURE_CLIENT_SECRET", environment);
  printed = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      printed += text;
      return true;
    });
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

const found = (text: string): string[] => foundIn(text, [...CANARIES, ...MARKED]);

/** What the engine learns of a resource that is checked, made, read and gone, however far it comes. */
async function lived(provider: DynamicProvider, args: Arguments): Promise<{ told: string; failures: number }> {
  const told: string[] = [];
  let failed = 0;
  const tried = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      failed += 1;
      told.push(shownBy(error));
      return undefined;
    }
  };
  const checked = await tried(() => provider.check({}, args));
  if (!checked) return { told: told.join("\n"), failures: failed };
  for (const { property, reason } of checked.failures) {
    failed += 1;
    told.push(reason);
    // The engine prints the value of a property that a failure names.
    expect(property ?? "").toBe("");
  }
  if (checked.failures.length > 0) return { told: told.join("\n"), failures: failed };
  const inputs = plain(checked.inputs);
  const made = await tried(() => provider.create(inputs));
  if (made) {
    await tried(() => provider.read(made.id, plain(made.outs ?? {})));
    await tried(() => provider.update(made.id, plain(made.outs ?? {}), { ...inputs, tags: { changed: "1" } }));
    await tried(() => provider.delete(made.id, plain(made.outs ?? {})));
  }
  return { told: told.join("\n"), failures: failed };
}

const named = (type: string, args: Arguments): Arguments => ({ ...identity("orders", type), name: "orders", ...args });

/** A resource of each kind with a secret in every place that takes one. */
const RESOURCES: readonly [string, DynamicProvider, Arguments][] = [
  ["a key of PEM", key, named("Key", { import: { pem: locked, passphrase }, tags: { t: tag } })],
  ["a key of a JWK", key, named("Key", { import: { jwk }, tags: { t: tag } })],
  [
    "a key of the environment",
    key,
    named("Key", { import: { env: "CANARY_PEM", passphrase: { env: "CANARY_PASSPHRASE" } } }),
  ],
  ["a generated key", key, named("Key", { generate: { keyType: "EC", keepers: { k: keeper } }, tags: { t: tag } })],
  ["a secret", secret, named("Secret", { value, contentType, tags: { t: tag } })],
];

describe("a secret in the wrong place", () => {
  const secretsByMistake: readonly [string, DynamicProvider, Arguments][] = [
    ["material for a file", key, { import: { file: pem } }],
    ["a secret for a file", key, { import: { file: environment } }],
    ["a passphrase for a variable", key, { import: { pem: locked, passphrase: { env: passphrase } } }],
    ["a passphrase for a file", key, { import: { pem: locked, passphrase: { file: passphrase } } }],
    ["a wrong passphrase", key, { import: { pem: locked, passphrase: environment } }],
    ["material for a variable", key, { import: { env: pem } }],
    ["a blob for a file", key, { restore: { file: blob } }],
    ["a blob that is none", key, { restore: { blob: value } }],
    ["a secret tag beside a bad one", key, { generate: { keyType: "EC" }, tags: { ok: tag, bad: 5 } }],
    ["a secret tag's name", key, { generate: { keyType: "EC" }, tags: { [tag]: 5 } }],
    ["keepers that are none", key, { generate: { keyType: "EC", keepers: [keeper] } }],
    ["a password in a URL", key, { generate: { keyType: "EC" }, vaultUrl: `https://u:${password}@v.vault.azure.net` }],
    [
      "a password in a query",
      key,
      { generate: { keyType: "EC" }, vaultUrl: `https://v.vault.azure.net/?p=${password}` },
    ],
    ["a secret for a URL", secret, { value, vaultUrl: environment }],
    ["a secret for a name", secret, { value, name: value }],
    ["a value for its variable", secret, { value: { env: value } }],
    ["a value for its file", secret, { value: { file: value } }],
    ["keepers of a value that are none", secret, { generate: { length: 20, keepers: [keeper] } }],
    ["material for an exchange key", key, { import: { jwk, wrapWith: pem } }],
    ["a password for a credential", secret, { value, credential: password }],
    ["a list for a value", secret, { value: [value] }],
    ["a value of two kinds", secret, { value, restore: { blob } }],
    ["a content type that is too long", secret, { value, contentType: contentType.repeat(20) }],
    ["a secret for a moment", secret, { value, expiresOn: value }],
    ["a secret for onDelete", secret, { value, onDelete: value }],
    ["a secret for a timeout", secret, { value, timeouts: { create: value } }],
    ["a secret for an argument", secret, { value, [value]: 1 }],
    ["a secret for a folder", keyBackup, { to: { folder: { path: value } } }],
    ["a secret for a selection", vaultBackup, { keys: { pattern: value } }],
    ["a secret for what is expected", keyInventory, { expect: { name: value } }],
    ["a secret for an expected name", keyInventory, { expect: [value] }],
    ["a secret for what is ignored", keyInventory, { ignore: [value] }],
    ["a secret for a period", keyInventory, { expect: [], expiresWithin: value }],
    ["a secret for a reaction", keyInventory, { expect: [], onUnmanaged: value }],
    ["a secret for an inventory's vault", keyInventory, { expect: [], vaultUrl: environment }],
  ];

  it.each(secretsByMistake)("%s is refused, and not shown", async (_what, provider, args) => {
    const own = provider === keyInventory ? {} : { ...identity("orders"), name: "orders" };
    const given = { ...own, vaultUrl: vault.url, ...args };
    // What is not in play proves nothing.
    expect(foundIn(JSON.stringify(given), [...CANARIES, ...MARKED])).not.toEqual([]);
    const { told, failures } = await lived(provider, given);
    expect(failures).toBeGreaterThan(0);
    expect(found(told + printed)).toEqual([]);
  });
});

describe("a name that is taken", () => {
  it.each(RESOURCES)("by another shows nothing of %s", async (_kind, provider, args) => {
    const other = provider === key ? { generate: { keyType: "EC" } } : { value: "other" };
    const theirs = { ...identity("theirs"), name: "orders", vaultUrl: vault.url, ...other };
    const { inputs } = await provider.check({}, theirs);
    await provider.create(plain(inputs));
    const { told, failures } = await lived(provider, { ...args, vaultUrl: vault.url });
    expect(failures).toBeGreaterThan(0);
    expect(found(told + printed)).toEqual([]);
  });
});

describe("an answer that is lost", () => {
  it.each(RESOURCES)("shows nothing of %s", async (_kind, provider, args) => {
    vault.faults.add({ kind: "drop", method: "PUT" });
    vault.faults.add({ kind: "drop", method: "POST" });
    const { told } = await lived(provider, { ...args, vaultUrl: vault.url });
    expect(told).toMatch(/KV_/);
    expect(found(told + printed)).toEqual([]);
  });
});
