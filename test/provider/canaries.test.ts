import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, keyBackup, keyInventory, secret, secretBackup, vaultBackup } from "../../provider/dynamic-v1.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { type Answer, type SeenRequest, VaultServer } from "../keyvault/vault-server.js";
import { identity, startEngineRun } from "./engine-run.js";

type Arguments = Record<string, unknown>;

/** A word that is nowhere else. It is plain: nothing may know it by its looks. */
const canary = (where: string): string => `Canary ${where} ${randomBytes(6).toString("hex")}`;

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const jwk = pair.export({ format: "jwk" });
const passphrase = canary("passphrase");
const pem = String(pair.export({ format: "pem", type: "pkcs8" }));
const locked = String(pair.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }));
const value = canary("value");
const blob = `${randomBytes(90).toString("base64url")}`;
const token = canary("token").replaceAll(" ", "-");
const environment = canary("environment");
const tag = canary("tag");
const keeper = canary("keeper");
const contentType = canary("contentType");
const password = canary("password").replaceAll(" ", "-");
const line = (text: string): string => text.split("\n")[3] ?? "";

/** Everything that must show nowhere. Long ones by their beginning, since a message may be cut. */
const CANARIES: readonly string[] = [
  ...[jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map((number) => String(number).slice(0, 24)),
  line(pem),
  line(locked).slice(0, 24),
  passphrase,
  value,
  blob.slice(0, 24),
  token,
  environment,
  password,
];
/** What the program marked as a secret, and so state holds encrypted: in no message all the same. */
const MARKED: readonly string[] = [tag, keeper, contentType];

const folder = mkdtempSync(join(tmpdir(), "canaries-"));
let vault: Emulator;
let server: VaultServer | undefined;
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
  await server?.close();
  server = undefined;
  await vault.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All that a failure shows of itself, to whom it may be shown. */
function shownBy(error: unknown): string {
  const stack = error instanceof Error ? error.stack : "";
  return [inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error), String(error), stack].join("\n");
}

const found = (text: string, canaries: readonly string[] = [...CANARIES, ...MARKED]): string[] =>
  canaries.filter((each) => text.includes(each) || text.includes(encodeURIComponent(each)));

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

/** Secrets in plain text, as the engine sends them. */
function plain(value: Arguments): Arguments {
  return JSON.parse(JSON.stringify(value), (_name, item: unknown) =>
    item !== null && typeof item === "object" && "4dabf18193072939515e22adb298388d" in item && "value" in item
      ? item.value
      : item,
  );
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
  ["a restored key", key, named("Key", { restore: { blob } })],
  ["a secret", secret, named("Secret", { value, contentType, tags: { t: tag } })],
  ["a restored secret", secret, named("Secret", { restore: { blob } })],
  ["a backup of a key", keyBackup, named("KeyBackup", {})],
  ["a backup of a secret", secretBackup, named("SecretBackup", {})],
  ["a backup of a vault", vaultBackup, { ...identity("all", "VaultBackup"), keys: "*", secrets: "*" }],
  ["an inventory", keyInventory, { ...identity("all", "KeyInventory"), expected: ["orders"] }],
];

/** A host that says back what it was sent, in many forms. */
const ECHOES: Record<string, (request: SeenRequest) => Answer> = {
  "400 in the service's form": ({ body }) => refusal(400, "BadParameter", `Property has invalid value ${body}`),
  "403 in the service's form": ({ body, authorization }) => refusal(403, "Forbidden", `${authorization} ${body}`),
  "409 in the service's form": ({ body }) => refusal(409, "Conflict", body, body.slice(0, 400)),
  "500 with the request": ({ body, authorization }) => refusal(500, body.slice(0, 200), `${authorization} ${body}`),
  "a page of HTML": ({ body, authorization }) => ({
    status: 200,
    headers: { "content-type": "text/html" },
    body: `<html><body>${authorization} ${body}</body></html>`,
  }),
  "502 and a page of HTML": ({ body, authorization }) => ({
    status: 502,
    headers: { "content-type": "text/html" },
    body: `<html>${authorization} ${body}</html>`,
  }),
  "JSON that stops": ({ body }) => ({ status: 200, body: `{"error":{"message":${JSON.stringify(body)}` }),
  "codes made of the request": ({ body }) => refusal(400, body, "no", body),
  "wrong kinds": ({ body }) => ({ status: 200, body: { key: body, id: [body], value: { body }, attributes: body } }),
  "an object of another name": ({ body }) => ({
    status: 200,
    body: { id: `https://v/secrets/${encodeURIComponent(body)}/1`, key: { kid: body, kty: body }, attributes: {} },
  }),
};

function refusal(status: number, code: string, message: string, inner?: string): Answer {
  return { status, body: { error: { code, message, ...(inner ? { innererror: { code: inner } } : {}) } } };
}
/** A read that is answered so is tried again for half a minute, and has no body to echo. */
const isRepeated = (how: string): boolean => how.startsWith("50");
const absent = ({ url }: SeenRequest): Answer =>
  refusal(404, url.includes("secrets") ? "SecretNotFound" : "KeyNotFound", "not found");

describe.each(RESOURCES)("%s", (_kind, provider, args) => {
  it.each(Object.entries(ECHOES).filter(([how]) => !isRepeated(how)))(
    "shows no secret where a host answers everything with %s",
    async (_how, echo) => {
      server = await VaultServer.start(echo);
      vi.stubEnv("KEYVAULT_TOKEN", token);
      const { told, failures } = await lived(provider, { ...args, vaultUrl: server.url });
      expect(failures).toBeGreaterThan(0);
      expect(found(told + printed)).toEqual([]);
    },
  );

  it.each(Object.entries(ECHOES).filter(([how]) => !isRepeated(how) || provider === key || provider === secret))(
    "shows no secret where a host answers its writes with %s",
    async (_how, echo) => {
      server = await VaultServer.start((request) => (request.method === "GET" ? absent(request) : echo(request)));
      vi.stubEnv("KEYVAULT_TOKEN", token);
      const { told } = await lived(provider, { ...args, vaultUrl: server.url });
      expect(found(told + printed)).toEqual([]);
    },
  );

  it("has no secret in its state, nor in the vault's log", async () => {
    const { inputs } = await provider.check({}, { ...args, vaultUrl: vault.url });
    expect(found(JSON.stringify(inputs), CANARIES)).toEqual([]);
    const made = await provider.create(plain(inputs)).catch((error: unknown) => shownBy(error));
    expect(found(JSON.stringify(made), CANARIES)).toEqual([]);
    expect(found(JSON.stringify(vault.requests.log))).toEqual([]);
    expect(found(printed)).toEqual([]);
  });
});

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
    ["a list for a value", secret, { value: [value] }],
    ["a value of two kinds", secret, { value, restore: { blob } }],
    ["a content type that is too long", secret, { value, contentType: contentType.repeat(20) }],
    ["a secret for a moment", secret, { value, expiresOn: value }],
    ["a secret for onDelete", secret, { value, onDelete: value }],
    ["a secret for a timeout", secret, { value, timeouts: { create: value } }],
    ["a secret for an argument", secret, { value, [value]: 1 }],
    ["a secret for a folder", keyBackup, { to: { folder: { path: value } } }],
    ["a secret for a selection", vaultBackup, { keys: { pattern: value } }],
    ["a secret for what is expected", keyInventory, { expected: { name: value } }],
  ];

  it.each(secretsByMistake)("%s is refused, and not shown", async (_what, provider, args) => {
    const given = { ...identity("orders"), name: "orders", vaultUrl: vault.url, ...args };
    const { told, failures } = await lived(provider, given);
    expect(failures).toBeGreaterThan(0);
    expect(found(told + printed)).toEqual([]);
  });
});

describe("a name that is taken", () => {
  it.each(RESOURCES.slice(0, 6).filter(([kind]) => kind !== "a restored key"))(
    "by another shows nothing of %s",
    async (_kind, provider, args) => {
      const other = provider === key ? { generate: { keyType: "EC" } } : { value: "other" };
      const theirs = { ...identity("theirs"), name: "orders", vaultUrl: vault.url, ...other };
      const { inputs } = await provider.check({}, theirs);
      await provider.create(plain(inputs));
      const { told, failures } = await lived(provider, { ...args, vaultUrl: vault.url });
      expect(failures).toBeGreaterThan(0);
      expect(found(told + printed)).toEqual([]);
    },
  );
});

describe("an answer that is lost", () => {
  it.each(RESOURCES.slice(0, 6))("shows nothing of %s", async (_kind, provider, args) => {
    vault.faults.add({ kind: "drop", method: "PUT" });
    vault.faults.add({ kind: "drop", method: "POST" });
    const { told } = await lived(provider, { ...args, vaultUrl: vault.url });
    expect(told).toMatch(/KV_/);
    expect(found(told + printed)).toEqual([]);
  });
});

it("leaves no secret in files of a backup that fails", async () => {
  server = await VaultServer.start((request) => ({ status: 200, body: { value: request.authorization } }));
  vi.stubEnv("KEYVAULT_TOKEN", token);
  await lived(keyBackup, named("KeyBackup", { vaultUrl: server.url, to: { folder } }));
  const files = readdirSync(folder, { recursive: true })
    .map((file) => join(folder, String(file)))
    .filter((file) => statSync(file).isFile());
  expect(files.flatMap((file) => found(readFileSync(file, "utf8")))).toEqual([]);
});
