import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { ECHOES, Gateway } from "../provider/echoing-gateway.js";
import { canaryText, filesIn, found, lockedPem, plantedKey } from "../provider/planted-secrets.js";
import { type CommandRun, ended, startCommand } from "./command-line.js";

// Every command with a secret in each place where one can enter it. A row first shows that the secret is in play.

const TOKEN = canaryText("token", "-");
const VALUE = canaryText("value");
const SECRET = canaryText("client-secret", "-");
const PASSPHRASE = canaryText("passphrase");
const BLOB = canaryText("blob", "-");
const PASSWORD = canaryText("password", "-");
const planted = plantedKey();
const { jwk, forms } = planted;
const CANARIES = [TOKEN, VALUE, SECRET, PASSPHRASE, BLOB, PASSWORD, ...Object.values(forms).flat()];

const root = mkdtempSync(join(tmpdir(), "cli-canaries-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
let temporary: string;
let vault: Emulator;
let gateway: Gateway;
let arguments_: Set<string>;
let sampling: NodeJS.Timeout;

beforeEach(async () => {
  folder = mkdtempSync(join(root, "run-"));
  temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const permissions = { principals: { [TOKEN]: { keys: ["*"], secrets: ["*"] } } };
  vault = await startEmulator({ timing: "instant", vaults: [{ name: "contoso", permissions }] });
  gateway = await Gateway.before(vault);
  const byHand = { url: vault.url, token: TOKEN } as Emulator;
  await call(byHand, "PUT", "/keys/signing", { key: { ...jwk, key_ops: ["sign"] } });
  await call(byHand, "PUT", "/secrets/database", { value: VALUE });
  const { value } = (await call(byHand, "GET", "/secrets/database")) as { value: string };
  expect(value).toBe(VALUE);
  writeFileSync(join(folder, "fleet.json"), JSON.stringify({ vaults: [gateway.url] }));
  arguments_ = new Set();
  others = new Set(hasProc ? processes() : []);
  sampling = setInterval(sampleArguments, 5);
});
afterEach(async () => {
  clearInterval(sampling);
  await gateway.close();
  await vault.close();
});

const PROC = "/proc";
const hasProc = existsSync(join(PROC, "self/cmdline"));
/** What was there before the command: it is none of its, and there may be hundreds. */
let others: Set<string>;
const processes = (): string[] => readdirSync(PROC).filter((name) => /^\d+$/.test(name));

/** What `ps` would show of every process that came since. */
function sampleArguments(): void {
  if (!hasProc) return;
  for (const pid of processes()) {
    if (others.has(pid)) continue;
    try {
      arguments_.add(readFileSync(join(PROC, pid, "cmdline"), "utf8"));
    } catch {
      // It has ended.
    }
  }
}

const environment = () => ({
  KEYVAULT_TOKEN: TOKEN,
  KEYVAULT_CREDENTIAL: "token",
  AZURE_KEYVAULT_URL: gateway.url,
  AZURE_CLIENT_SECRET: SECRET,
  PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
  TMPDIR: temporary,
});

async function run(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<CommandRun> {
  const child = startCommand(args, { cwd: folder, env: { ...environment(), ...env } });
  child.stdin?.end(input);
  return ended(child);
}

function expectNothing(outcome: CommandRun, command: string): void {
  expect(found(outcome.stdout + outcome.stderr, CANARIES)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
  for (const { path, content } of filesIn(folder)) expect([path, found(content, CANARIES)]).toEqual([path, []]);
  expect(found([...arguments_].join("\n"), CANARIES)).toEqual([]);
  if (hasProc) expect([...arguments_].some((line) => line.split("\0").includes(command))).toBe(true);
  expect(found(JSON.stringify(vault.requests.log), CANARIES)).toEqual([]);
}

const EVERYTHING = ["--secrets", "--deleted", "--versions", "--rotation"];
const READING: [what: string, args: string[]][] = [
  ...["table", "json", "csv"].map((format): [string, string[]] => [
    `inventory as ${format}`,
    ["inventory", ...EVERYTHING, "--format", format],
  ]),
  ["adopt", ["adopt", "--program", "index.ts", "--force"]],
  ["report", ["report", "--output", "report.html", "--force"]],
  ["inventory of a fleet", ["inventory", "--fleet", "fleet.json", ...EVERYTHING]],
];
/** Reads that are answered so are tried again for half a minute: the suite of the resources has them. */
const SHORT = Object.entries(ECHOES).filter(([form]) => !form.startsWith("50"));

describe.each(READING)("%s", (_what, args) => {
  it("is asked with a token, of a vault with a secret, and shows neither", async () => {
    const outcome = await run(args);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).not.toContain("KV_");
    const written = filesIn(folder).map(({ content }) => content);
    expect((outcome.stdout + written.join()).length).toBeGreaterThan(200);
    expect(gateway.exchanges.length).toBeGreaterThan(1);
    expect(gateway.exchanges.every(({ headers }) => headers.includes(TOKEN))).toBe(true);
    expectNothing(outcome, args[0] ?? "");
  });

  it.each(SHORT)("shows nothing of it where a gateway says everything back: %s", async (_form, echo) => {
    gateway.spoil = echo;
    const outcome = await run(args);
    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.stderr).toMatch(/KV_/);
    expect(gateway.exchanges.some(({ headers }) => headers.includes(TOKEN))).toBe(true);
    expectNothing(outcome, args[0] ?? "");
  });

  it("shows nothing of it where a gateway says back one request after the other", async () => {
    await run(args);
    const count = gateway.exchanges.length;
    for (let spoiled = 1; spoiled < count; spoiled++) {
      const [, echo] = SHORT[spoiled % SHORT.length] ?? [];
      const before = gateway.exchanges.length;
      gateway.spoil = (exchange, index) => (index === before + spoiled ? echo?.(exchange) : undefined);
      expectNothing(await run(args), args[0] ?? "");
    }
  });
});

const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
const KEY = "pulumi-nodejs:dynamic/keyvault:Key";

/** A preview as an engine gives it that was told to show secrets, and one of another version that wraps them. */
function preview(): string {
  const urn = `urn:pulumi:prod::shop::${KEY}::signing`;
  const state = (tag: unknown, version: string) => ({
    type: KEY,
    inputs: {
      name: "signing",
      vaultUrl: vault.url,
      tags: { t: tag },
      value: VALUE,
      blob: BLOB,
      blobs: { keys: { a: BLOB } },
    },
    outputs: { version, value: VALUE, valueDigest: SECRET, blob: BLOB },
  });
  const wrapped = (text: string) => ({ ...SIGNATURE, plaintext: JSON.stringify(text), ciphertext: BLOB, value: text });
  const [before, after] = [state(wrapped(PASSPHRASE), "1"), state(wrapped(PASSWORD), "2")];
  return JSON.stringify({
    steps: [
      { op: "refresh", urn, oldState: { ...before, inputs: { ...before.inputs, value: SECRET } } },
      { op: "update", urn, oldState: after, newState: before, detailedDiff: { "tags.t": { kind: "update" } } },
      { op: "same", urn: "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod" },
    ],
    diagnostics: [],
  });
}

describe.each(["table", "json", "github", "markdown", "junit"])("drift as %s", (format) => {
  it("tells that secrets drifted, and not what they are, where it reads a preview", async () => {
    const text = preview();
    expect(found(text, [VALUE, BLOB, SECRET, PASSPHRASE, PASSWORD])).toHaveLength(5);
    const outcome = await run(["drift", "--from", "-", "--format", format], text);
    expect(outcome).toMatchObject({ exitCode: 7, stderr: "" });
    expect(outcome.stdout).toContain("tags");
    expectNothing(outcome, "drift");
  });

  it("tells the same where it runs the engine, which gets its secrets from the environment alone", async () => {
    const bin = mkdtempSync(join(root, "bin-"));
    const asked = join(bin, "asked.json");
    const text = preview();
    writeFileSync(
      join(bin, "pulumi"),
      `#!${process.execPath}
      require("node:fs").writeFileSync(${JSON.stringify(asked)}, JSON.stringify([process.argv, process.env]));
      process.stdout.write(${JSON.stringify(text)});
      process.exitCode = 7;`,
    );
    chmodSync(join(bin, "pulumi"), 0o755);
    const outcome = await run(["drift", "--format", format], "", { PATH: `${bin}${delimiter}${process.env.PATH}` });
    expect(outcome).toMatchObject({ exitCode: 7, stderr: "" });
    const [argv, env] = JSON.parse(readFileSync(asked, "utf8"));
    expect(env).toMatchObject({ PULUMI_CONFIG_PASSPHRASE: PASSPHRASE, KEYVAULT_TOKEN: TOKEN });
    expect(found(JSON.stringify(argv), CANARIES)).toEqual([]);
    expectNothing(outcome, "drift");
  });
});

describe("emulator", () => {
  async function served(args: readonly string[], use: (url: string, token: string) => Promise<void>) {
    const child = startCommand(["emulator", "--no-tls", ...args], { cwd: folder, env: environment() });
    const end = ended(child);
    let text = "";
    while (!text.includes("export KEYVAULT_TOKEN=")) {
      const [chunk] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), end.then(() => [])]);
      if (chunk === undefined) break;
      text += chunk;
    }
    const [, url = ""] = /AZURE_KEYVAULT_URL=(\S+)/.exec(text) ?? [];
    const [, token = ""] = /KEYVAULT_TOKEN='?([^'\n]+)/.exec(text) ?? [];
    if (url !== "") await use(url, token);
    const written = filesIn(folder).filter(({ path }) => path.endsWith(".env"));
    child.kill("SIGTERM");
    return { outcome: await end, written };
  }

  it("says of what it is sent nothing, in its output, its log and its file of the environment", async () => {
    writeFileSync(join(folder, "seed.json"), JSON.stringify({ keys: [], secrets: [{ name: "seeded", value: VALUE }] }));
    const faults = ["html,operation=getKey", "status,operation=updateSecret,status=500", "drop,operation=backupKey"];
    const { outcome, written } = await served(
      [
        "--seed-from",
        "seed.json",
        "--store",
        "dev.vault",
        "--write-env",
        "vault.env",
        ...faults.flatMap((rule) => ["--fault", rule]),
      ],
      async (url, token) => {
        const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
          const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "x-mine": PASSWORD };
          const text = typeof body === "string" ? body : JSON.stringify(body);
          const answer = await fetch(`${url}${path}?api-version=7.4`, {
            method,
            headers,
            ...(text ? { body: text } : {}),
          });
          return answer.text();
        };
        expect(await ask("GET", "/secrets/seeded")).toContain(VALUE);
        await ask("PUT", "/keys/signing", { key: { ...jwk, key_ops: ["sign"] } });
        await ask("PUT", "/keys/signing", { key: { ...jwk, d: jwk.x } });
        await ask("PUT", "/keys/signing", `{"key":{"kty":"EC","d":"${jwk.d}"`);
        await ask("GET", "/keys/signing");
        await ask("PUT", "/secrets/mine", { value: VALUE, tags: { t: SECRET } });
        await ask("PATCH", "/secrets/mine", { contentType: SECRET });
        await ask("POST", "/keys/restore", { value: BLOB });
        await ask("POST", "/keys/signing/backup").catch(() => {});
        await fetch(`${url}/secrets/${encodeURIComponent(VALUE)}?api-version=7.4`, {
          headers: { authorization: `Bearer ${TOKEN}` },
        });
      },
    );
    expect(outcome.exitCode).toBe(0);
    expect(written.map(({ content }) => content)).toEqual([expect.stringContaining("KEYVAULT_TOKEN")]);
    expect(found(written.map(({ content }) => content).join(), CANARIES)).toEqual([]);
    // The store holds them, in a file of this user's own: SECURITY.md says so.
    const stores = filesIn(folder).filter(({ path }) => path.includes("dev.vault"));
    expect(found(stores.map(({ content }) => content).join(), [VALUE])).toEqual([VALUE]);
    expect(stores.filter(({ mode }) => mode !== 0o600)).toEqual([]);
    for (const { path } of stores) rmSync(path);
    rmSync(join(folder, "seed.json"));
    expectNothing(outcome, "emulator");
  });

  it("copies no value of a vault that it is filled from, and shows none", async () => {
    const { outcome } = await served(["--seed-from", gateway.url], async (url, token) => {
      const answer = await fetch(`${url}/secrets/database?api-version=7.4`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(await answer.json()).toMatchObject({ value: "seeded" });
    });
    expect(gateway.exchanges.every(({ headers }) => headers.includes(TOKEN))).toBe(true);
    expectNothing(outcome, "emulator");
  });

  it.each(SHORT)(
    "shows nothing where the vault that it is filled from says everything back: %s",
    async (_form, echo) => {
      gateway.spoil = echo;
      const { outcome } = await served(["--seed-from", gateway.url], async () => {});
      expect(gateway.exchanges.some(({ headers }) => headers.includes(TOKEN))).toBe(true);
      expectNothing(outcome, "emulator");
    },
  );
});

describe("doctor", () => {
  it("asks with a token, of a vault with a secret, and shows neither", async () => {
    const outcome = await run(["doctor"]);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(gateway.exchanges.filter(({ headers }) => headers.includes(TOKEN)).length).toBeGreaterThan(10);
    expectNothing(outcome, "doctor");
  });

  it.each(SHORT)("shows nothing where a gateway says everything back: %s", async (_form, echo) => {
    gateway.spoil = echo;
    const outcome = await run(["doctor", "--json"]);
    expect(outcome.exitCode).toBe(7);
    expect(outcome.stdout).toMatch(/KV_/);
    expect(gateway.exchanges.some(({ headers }) => headers.includes(TOKEN))).toBe(true);
    expectNothing(outcome, "doctor");
  });
});

describe("byok", () => {
  const wrap = ["byok", "--key", "signing.pem", "--passphrase-env", "PASS", "--kek", "kek", "--out", "signing.byok"];
  beforeEach(async () => {
    const byHand = { url: vault.url, token: TOKEN } as Emulator;
    await call(byHand, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    writeFileSync(join(folder, "signing.pem"), lockedPem(planted, PASSPHRASE));
  });

  it("shows nothing of the key that it wraps, nor of its passphrase", async () => {
    const outcome = await run(wrap, "", { PASS: PASSPHRASE });
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readFileSync(join(folder, "signing.byok"), "utf8")).toContain("ciphertext");
    expect(gateway.exchanges.every(({ headers }) => headers.includes(TOKEN))).toBe(true);
    expectNothing(outcome, "byok");
    // The passphrase was in play: no other opens the key.
    const other = await run(wrap, "", { PASS: PASSWORD });
    expect(other.exitCode).toBe(1);
    expectNothing(other, "byok");
  });

  it.each(SHORT)("shows nothing where a gateway says everything back: %s", async (_form, echo) => {
    gateway.spoil = echo;
    const outcome = await run(wrap, "", { PASS: PASSPHRASE });
    expect(outcome.exitCode).toBe(1);
    expectNothing(outcome, "byok");
  });
});

describe("backup and restore", () => {
  it.each(SHORT)("show nothing where a gateway says everything back: %s", async (_form, echo) => {
    expect(await run(["backup", "--to", "backups"])).toMatchObject({ exitCode: 0 });
    gateway.spoil = echo;
    const taken = await run(["backup", "--to", "others"]);
    expect(taken.exitCode).not.toBe(0);
    expectNothing(taken, "backup");
    const restored = await run(["restore", "--from", "backups"]);
    expect(restored.exitCode).toBe(1);
    expect(restored.stderr).toMatch(/KV_/);
    const blobs = filesIn(join(folder, "backups")).filter(({ path }) => path.endsWith("keybackup"));
    expect(blobs.length).toBe(1);
    const parts = blobs.flatMap(({ content }) => [content.slice(0, 60), content.slice(-60)]);
    expect(found(restored.stdout + restored.stderr + taken.stdout + taken.stderr, parts)).toEqual([]);
    expectNothing(restored, "restore");
  });
});

describe("completion", () => {
  it.each(["bash", "zsh", "fish"])("of %s is the same whatever the environment holds", async (shell) => {
    const outcome = await run(["completion", shell]);
    expect(outcome.exitCode).toBe(0);
    expectNothing(outcome, "completion");
  });
});

describe("a secret in the wrong place of the environment", () => {
  it.each<[string, string, string, Record<string, string>]>([
    ["a token for a credential's name", "inventory", TOKEN, { KEYVAULT_CREDENTIAL: TOKEN }],
    ["a client secret for a domain", "inventory", SECRET, { KEYVAULT_ALLOWED_DOMAINS: SECRET }],
    [
      "a password in a vault's URL",
      "inventory",
      PASSWORD,
      { AZURE_KEYVAULT_URL: `https://me:${PASSWORD}@v.vault.azure.net` },
    ],
    ["a value for a vault's URL", "adopt", VALUE, { AZURE_KEYVAULT_URL: VALUE }],
    ["two tokens", "inventory", TOKEN, { KEYVAULT_TOKEN: `${TOKEN} ${TOKEN}` }],
  ])("%s is refused, and not shown", async (_what, command, secret, env) => {
    expect(Object.values(env).join()).toContain(secret);
    const outcome = await run([command], "", env);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(/KV_/);
    expectNothing(outcome, command);
  });
});
