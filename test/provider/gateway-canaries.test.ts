import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { transferBlob } from "../../conformance/transfer-blob.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import { call } from "../engine/vault-by-hand.js";
import { ECHOES, Gateway } from "./echoing-gateway.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import {
  armouredLines,
  canaryText,
  filesIn,
  found,
  inState,
  lockedPem,
  lockedPfx,
  openSshFile,
  plain,
  plantedKey,
  shownBy,
} from "./planted-secrets.js";
import {
  key,
  keyBackup,
  keyInventory,
  keySet,
  secret,
  secretBackup,
  secretInventory,
  vaultBackup,
} from "./providers.js";

// Every resource lives its whole life through a gateway, which at each request in turn says back what it knows: body,
// headers and the vault's own answer. CANARY_ROUNDS=all tries every form of it at every request.

vi.mock(import("../../provider/keyvault/clock.js"), async (original) => {
  const { passingPauses } = await import("./passing-pauses.js");
  return passingPauses(await original());
});

type Arguments = Record<string, unknown>;

const TOKEN = canaryText("token", "-");
const PASSPHRASE = canaryText("passphrase");
const VALUE = canaryText("value");
const TAG = canaryText("tag");
const CONTENT_TYPE = canaryText("contentType");
const KEEPER = canaryText("keeper");
const ENVIRONMENT = canaryText("environment");

const rsa = plantedKey("RSA");
const ec = plantedKey("EC");
const pem = String(ec.key.export({ format: "pem", type: "pkcs8" }));
const locked = lockedPem(rsa, PASSPHRASE);
const pfx = lockedPfx(rsa, PASSPHRASE);
const ssh = openSshFile(ec);

const folder = mkdtempSync(join(tmpdir(), "gateway-canaries-"));
const temporary = join(folder, "tmp");

/** What a row has in play: by where the healthy run has to show it, or else the row proves nothing. */
interface Play {
  args: Arguments;
  /** Texts of requests. */
  sent?: string[];
  /** Texts of answers: blobs, which show nowhere but where state keeps a secret, or in the file of a backup. */
  answered?: string[];
  /** Texts of the inputs that go nowhere. */
  given?: string[];
  /** Texts that the program may have marked: state keeps them, encrypted by the engine, and no message shows them. */
  marked?: string[];
}

type Row = [what: string, provider: DynamicProvider, prepare: (vault: Emulator, vaultUrl: string) => Promise<Play>];

const named = (type: string, args: Arguments): Arguments => ({ ...identity("orders", type), name: "orders", ...args });
const imported = (source: Arguments, more: Arguments = {}): Arguments =>
  named("Key", { import: source, tags: { t: TAG }, ...more });
const importOf =
  (source: Arguments, { forms }: typeof rsa, given: string[]): Row[2] =>
  async () => ({ args: imported(source), sent: [forms.d?.[0] ?? "", TAG], given, marked: [TAG] });

async function blobOf(vault: Emulator, collection: "keys" | "secrets", isGone: boolean): Promise<string> {
  if (collection === "keys") await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
  else await call(vault, "PUT", "/secrets/orders", { value: VALUE });
  const { value } = (await call(vault, "POST", `/${collection}/orders/backup`)) as { value: string };
  if (isGone) {
    await call(vault, "DELETE", `/${collection}/orders`);
    await call(vault, "DELETE", `/deleted${collection}/orders`);
  }
  return value;
}

/** The middle of a blob: its beginning is the same in all of one vault. */
const middle = (blob: string): string => blob.slice(blob.length / 2, blob.length / 2 + 40);

const restored =
  (collection: "keys" | "secrets"): Row[2] =>
  async (vault) => {
    const blob = await blobOf(vault, collection, true);
    return { args: named(collection === "keys" ? "Key" : "Secret", { restore: { blob } }), sent: [middle(blob)] };
  };

const backedUp =
  (type: string, args: Arguments): Row[2] =>
  async (vault) => {
    await blobOf(vault, "keys", false);
    await blobOf(vault, "secrets", false);
    const identified = type === "VaultBackup" ? identity("all", type) : named(type, {});
    return { args: { ...identified, ...args }, answered: [] };
  };

const ROWS: Row[] = [
  [
    "a key of encrypted PEM",
    key,
    importOf({ pem: locked, passphrase: PASSPHRASE }, rsa, [PASSPHRASE, ...armouredLines(locked)]),
  ],
  ["a key of PEM", key, importOf({ pem }, ec, armouredLines(pem).slice(0, 1))],
  ["a key of a JWK", key, importOf({ jwk: rsa.jwk }, rsa, [rsa.forms.qi?.[0] ?? ""])],
  ["a key of PFX", key, importOf({ pfx, passphrase: PASSPHRASE }, rsa, [PASSPHRASE, pfx.slice(200, 240)])],
  ["a key of OpenSSH in a file", key, importOf({ file: join(folder, "id_ecdsa") }, ec, [])],
  ["a key of the environment", key, importOf({ env: "CANARY_PEM", passphrase: { env: "CANARY_PASSPHRASE" } }, rsa, [])],
  [
    "a key of a transfer blob",
    key,
    async (vault) => {
      const made = await call(vault, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
      const { key: kek } = made as { key: { kid: string; n: string; e: string } };
      const blob = transferBlob(kek, ec.jwk);
      const byok = Buffer.from(blob, "base64url").toString("utf8");
      const { ciphertext } = JSON.parse(byok) as { ciphertext: string };
      const description = { keyType: "EC-HSM", curve: "P-256" };
      return {
        args: imported({ byok, ...description }),
        sent: [blob.slice(300, 340)],
        given: [ciphertext.slice(0, 40)],
      };
    },
  ],
  [
    "a key that is wrapped here",
    key,
    async (vault, vaultUrl) => {
      const made = await call(vault, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
      const { kid } = (made as { key: { kid: string } }).key;
      const wrapWith = `${vaultUrl}${new URL(kid).pathname}`;
      return { args: imported({ pem, keyType: "EC-HSM", wrapWith }), given: armouredLines(pem).slice(0, 1) };
    },
  ],
  [
    "a generated key",
    key,
    async () => ({
      args: named("Key", { generate: { keyType: "EC", keepers: { k: KEEPER } }, tags: { t: TAG } }),
      sent: [TAG],
      given: [KEEPER],
      marked: [TAG, KEEPER],
    }),
  ],
  [
    "a set of keys",
    keySet,
    async () => ({
      args: {
        ...identity("all", "KeySet"),
        entries: {
          orders: { import: { pem: locked, passphrase: { env: "CANARY_PASSPHRASE" } } },
          made: { generate: { keyType: "EC", keepers: { k: KEEPER } } },
        },
        tags: { t: TAG },
      },
      sent: [rsa.forms.d?.[0] ?? "", TAG],
      given: [KEEPER, ...armouredLines(locked)],
      marked: [TAG, KEEPER],
    }),
  ],
  ["a restored key", key, restored("keys")],
  [
    "a secret",
    secret,
    async () => ({
      args: named("Secret", { value: VALUE, contentType: CONTENT_TYPE, tags: { t: TAG } }),
      sent: [VALUE, TAG, CONTENT_TYPE],
      marked: [TAG, CONTENT_TYPE],
    }),
  ],
  [
    "a secret of the environment",
    secret,
    async () => ({ args: named("Secret", { value: { env: "CANARY_VALUE" } }), sent: [VALUE] }),
  ],
  ["a restored secret", secret, restored("secrets")],
  ["a backup of a key", keyBackup, backedUp("KeyBackup", {})],
  ["a backup of a key in a folder", keyBackup, backedUp("KeyBackup", { to: { folder: join(folder, "of-key") } })],
  ["a backup of a secret", secretBackup, backedUp("SecretBackup", {})],
  [
    "a backup of a secret in a folder",
    secretBackup,
    backedUp("SecretBackup", { to: { folder: join(folder, "of-secret") } }),
  ],
  ["a backup of a vault", vaultBackup, backedUp("VaultBackup", { keys: "*", secrets: "*" })],
  [
    "a backup of a vault in a folder",
    vaultBackup,
    backedUp("VaultBackup", { keys: "*", secrets: "*", to: { folder: join(folder, "of-vault") } }),
  ],
  [
    "an inventory of secrets",
    secretInventory,
    async (vault) => {
      await call(vault, "PUT", "/secrets/orders", { value: VALUE, contentType: CONTENT_TYPE, tags: { t: TAG } });
      const args = { expect: ["orders"], includeSecrets: true };
      return { args, marked: [] };
    },
  ],
  [
    "an inventory",
    keyInventory,
    async (vault) => {
      await call(vault, "POST", "/keys/orders/create", { kty: "EC", tags: { t: TAG } });
      return { args: { expect: ["orders"], rotation: true, includeKeys: true }, marked: [TAG] };
    },
  ],
];

let printed = "";
let lives: { close(): Promise<void> }[] = [];
beforeEach(() => {
  vi.stubEnv("CANARY_PEM", locked);
  vi.stubEnv("CANARY_PASSPHRASE", PASSPHRASE);
  vi.stubEnv("CANARY_VALUE", VALUE);
  vi.stubEnv("CANARY_OTHER", ENVIRONMENT);
  vi.stubEnv("AZURE_CLIENT_SECRET", ENVIRONMENT);
  vi.stubEnv("TMPDIR", temporary);
  mkdirSync(temporary, { recursive: true });
  writeFileSync(join(folder, "id_ecdsa"), ssh);
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      printed += text;
      return true;
    });
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of lives) await each.close();
  lives = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Life {
  play: Play;
  gateway: Gateway;
  vault: Emulator;
  /** Messages, stacks, failures of checks, and what was printed. */
  told: string;
  failures: number;
  /** Inputs and outputs as state holds them, its secrets opened. */
  state: string;
  /** The same without what the provider marks as secret. */
  stateInTheClear: string;
}

/** What the engine learns of a resource that is checked, made, read, changed and gone, however far it comes. */
async function lived([, provider, prepare]: Row, spoil?: Gateway["spoil"]): Promise<Life> {
  const permissions = { principals: { [TOKEN]: { keys: ["*"], secrets: ["*"] } } };
  const vault = await startEmulator({ timing: "instant", vaults: [{ name: "contoso", permissions }] });
  const gateway = await Gateway.before(vault);
  lives.push(gateway, vault);
  startEngineRun(vault);
  for (const name of ["of-key", "of-secret", "of-vault"]) rmSync(join(folder, name), { recursive: true, force: true });
  // Permissions are those of the token alone: what is by hand goes with it, too.
  const play = await prepare(
    Object.assign(Object.create(vault) as Emulator, { token: TOKEN, url: vault.url }),
    gateway.url,
  );
  vi.stubEnv("KEYVAULT_TOKEN", TOKEN);
  printed = "";
  gateway.spoil = spoil;
  const life: Life = { play, gateway, vault, told: "", failures: 0, state: "", stateInTheClear: "" };
  const tried = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      life.failures += 1;
      life.told += shownBy(error);
      // What a failure keeps of an object is written to state.
      if (error instanceof Error && "properties" in error) keep(error.properties);
      return undefined;
    }
  };
  const keep = (outs: unknown): void => {
    life.state += inState(outs, "opened");
    life.stateInTheClear += inState(outs, "withheld");
  };
  const args = { ...play.args, vaultUrl: gateway.url };
  const checked = await tried(() => provider.check({}, args));
  for (const { reason } of checked?.failures ?? []) {
    life.failures += 1;
    life.told += reason;
  }
  if (checked && checked.failures.length === 0) {
    keep(checked.inputs);
    const inputs = plain(checked.inputs);
    const made = await tried(() => provider.create(inputs));
    if (made) {
      keep(made.outs);
      const outs = plain(made.outs ?? {});
      const read = await tried(() => provider.read(made.id, outs));
      keep(read?.props);
      keep(read?.inputs);
      const changed = { ...inputs, tags: { changed: "1" }, ...(inputs.keys ? { allowEmpty: true } : {}) };
      const updated = await tried(() => provider.update(made.id, outs, changed));
      keep(updated?.outs);
      nextEngineRun();
      await tried(() => provider.delete(made.id, plain(updated?.outs ?? outs)));
    }
  }
  life.told += printed;
  return life;
}

const IS_ALL = process.env.CANARY_ROUNDS === "all";

describe.each(ROWS)("%s", (...row) => {
  /** Everything that may be shown nowhere. */
  const secretsOf = ({ play }: Life): string[] => [
    ...[TOKEN, PASSPHRASE, VALUE, ENVIRONMENT],
    ...[...Object.values(rsa.forms), ...Object.values(ec.forms)].flat(),
    ...[...armouredLines(locked), ...armouredLines(pem).slice(0, 1), ...armouredLines(ssh).slice(1)],
    ...[play.sent ?? [], play.given ?? []].flat().filter((text) => !(play.marked ?? []).includes(text)),
  ];
  const blobsOf = ({ gateway }: Life): string[] =>
    gateway.exchanges.flatMap(({ answer }) => {
      const [, blob] = /"value":"([\w-]{400,})"/.exec(answer) ?? [];
      return blob === undefined ? [] : [middle(blob)];
    });

  const expectNothing = (life: Life): void => {
    const secrets = [...secretsOf(life), ...blobsOf(life)];
    expect(found(life.told, [...secrets, ...(life.play.marked ?? [])])).toEqual([]);
    expect(found(life.stateInTheClear, secrets)).toEqual([]);
    expect(found(life.state, secretsOf(life))).toEqual([]);
    expect(found(JSON.stringify(life.vault.requests.log), [...secrets, ...(life.play.marked ?? [])])).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
    for (const { path, content, mode } of filesIn(folder)) {
      if (path.endsWith("id_ecdsa")) continue;
      const isBackup = /\.(key|secret)backup$/.test(path);
      expect([path, found(content, isBackup ? secretsOf(life) : secrets)]).toEqual([path, []]);
      if (isBackup) expect([path, mode]).toEqual([path, 0o600]);
    }
  };

  let requests = 0;

  it("is in play: what it hides is where it has to be, and nowhere else", async () => {
    const life = await lived(row);
    const { play, gateway } = life;
    requests = gateway.exchanges.length;
    expect([life.failures, life.told.match(/KV_[A-Z_]+[^\n]*/)?.[0]]).toEqual([0, undefined]);
    const bodies = gateway.exchanges.map(({ body }) => body).join("\n");
    expect(found(bodies, play.sent ?? [])).toEqual(play.sent ?? []);
    const material = JSON.stringify(play.args).replaceAll("\\n", "\n");
    expect(found(material, play.given ?? [])).toEqual(play.given ?? []);
    expect(gateway.exchanges.every(({ headers }) => headers.includes(TOKEN))).toBe(true);
    if (play.answered !== undefined) {
      const blobs = blobsOf(life);
      expect(blobs.length).toBeGreaterThan(0);
      const kept =
        filesIn(folder)
          .map(({ content }) => content)
          .join("\n") + life.state;
      expect(found(kept, blobs).length).toBeGreaterThan(0);
    }
    expectNothing(life);
  });

  it("shows nothing, whichever request a gateway says back, in whichever form", async () => {
    expect(requests).toBeGreaterThan(0);
    const forms = Object.entries(ECHOES);
    for (let spoiled = 0; spoiled < requests; spoiled++) {
      const tried = IS_ALL ? forms : forms.filter((_, index) => (index + spoiled) % 4 === 0);
      for (const [, echo] of tried) {
        const life = await lived(row, (exchange, index) => (index === spoiled ? echo(exchange) : undefined));
        expect(life.gateway.exchanges.length).toBeGreaterThan(spoiled);
        expectNothing(life);
      }
    }
  }, 600_000);

  it.each(Object.entries(ECHOES))("shows nothing where a gateway says everything back: %s", async (_form, echo) => {
    const life = await lived(row, echo);
    expect(life.failures).toBeGreaterThan(0);
    expectNothing(life);
  });

  it.each(Object.entries(ECHOES))("shows nothing where a gateway says its writes back: %s", async (_form, echo) => {
    const life = await lived(row, (exchange) => (exchange.body === "" ? undefined : echo(exchange)));
    expectNothing(life);
  });
});

describe("the functions that use a vault", () => {
  const PLAIN = "Canary plaintext";
  const TEXT = Buffer.from(PLAIN).toString("base64url");
  const SIGNED = Buffer.alloc(32, "Canary digest").toString("base64url");
  const uses: [what: string, carried: string[], use: (client: KeyVaultClient, sealed: string) => Promise<unknown>][] = [
    ["encrypt", [TEXT], (client) => client.encrypt("orders", undefined, { algorithm: "RSA-OAEP-256", value: TEXT })],
    ["decrypt", [], (client, value) => client.decrypt("orders", undefined, { algorithm: "RSA-OAEP-256", value })],
    ["wrapKey", [TEXT], (client) => client.wrapKey("orders", undefined, { algorithm: "RSA-OAEP-256", value: TEXT })],
    ["unwrapKey", [], (client, value) => client.unwrapKey("orders", undefined, { algorithm: "RSA-OAEP-256", value })],
    ["sign", [SIGNED], (client) => client.sign("orders", undefined, { algorithm: "RS256", digest: SIGNED })],
    ["getSecret", [], (client) => client.getSecret("orders")],
  ];

  it.each(uses)("%s shows nothing of what it was given, nor of what it was answered", async (_what, carried, use) => {
    const permissions = { principals: { [TOKEN]: { keys: ["*"], secrets: ["*"] } } };
    const vault = await startEmulator({ timing: "instant", vaults: [{ name: "contoso", permissions }] });
    const gateway = await Gateway.before(vault);
    lives.push(gateway, vault);
    startEngineRun(vault);
    vi.stubEnv("KEYVAULT_TOKEN", TOKEN);
    const byHand = { url: vault.url, token: TOKEN } as Emulator;
    await call(byHand, "POST", "/keys/orders/create", { kty: "RSA" });
    await call(byHand, "PUT", "/secrets/orders", { value: VALUE });
    const sealed = (await call(byHand, "POST", "/keys/orders/encrypt", { alg: "RSA-OAEP-256", value: TEXT })) as {
      value: string;
    };
    const client = await vaultClient({ vaultUrl: gateway.url });
    await use(client, sealed.value);
    const [first] = gateway.exchanges;
    expect(found(first?.body ?? "", carried)).toEqual(carried);
    expect((first?.headers ?? "").includes(TOKEN)).toBe(true);
    // A 5xx is waited for: the lives of the resources have it.
    for (const [, echo] of Object.entries(ECHOES).filter(([form]) => !form.startsWith("50"))) {
      gateway.spoil = echo;
      const failure = shownBy(await use(client, sealed.value).catch((error: unknown) => error));
      expect(failure).toMatch(/KV_/);
      expect(found(failure, [TOKEN, VALUE, PLAIN, TEXT, SIGNED, sealed.value.slice(40, 80)])).toEqual([]);
    }
  });
});
