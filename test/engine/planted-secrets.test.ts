import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ECHOES, Gateway } from "../provider/echoing-gateway.js";
import { canaryText, filesIn, found, lockedPem, lockedPfx, plantedKey } from "../provider/planted-secrets.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { DOORS, type Run, Stack } from "./stack.js";

// What the real engine prints, writes and passes on, of a program with a secret in every place that takes one.

const TOKEN = canaryText("token", "-");
const PASSPHRASE = canaryText("passphrase");
const VALUE = canaryText("value");
const CONFIGURED = canaryText("configured");
const CLIENT_SECRET = canaryText("client-secret", "-");
const [rsa, ec, inPfx] = [plantedKey("RSA"), plantedKey(), plantedKey("RSA")];
const CANARIES = [
  ...[TOKEN, PASSPHRASE, VALUE, CONFIGURED, CLIENT_SECRET],
  ...[rsa, ec, inPfx].flatMap(({ forms }) => Object.values(forms).flat()),
];
/** What the program marks: the engine keeps it, encrypted. */
const MARKED = [canaryText("tag"), canaryText("contentType"), canaryText("keeper")];
const [TAG, CONTENT_TYPE, KEEPER] = MARKED;

const PROGRAM = `
  const { DEFAULT, GATEWAY, PEM, TAG, CONTENT_TYPE, KEEPER, VALUE, JWK } = process.env;
  const config = new pulumi.Config("test");
  const tags = { t: pulumi.secret(TAG) };
  const pem = new keyvault.Key("pem", { import: { pem: PEM, passphrase: { env: "PASS" } }, tags });
  new keyvault.Key("jwk", { import: { jwk: pulumi.secret(JSON.parse(JWK)) }, tags });
  new keyvault.Key("pfx", { import: { file: "signing.pfx", passphrase: process.env.PASS } });
  new keyvault.Key("made", { generate: { keyType: "EC", keepers: { k: pulumi.secret(KEEPER) } } });
  const value = new keyvault.Secret("value", { value: VALUE, contentType: pulumi.secret(CONTENT_TYPE), tags });
  new keyvault.Secret("configured", { value: config.requireSecret("word") });
  new keyvault.KeyBackup("pem", { key: pem });
  new keyvault.SecretBackup("value", { secret: value, to: { folder: "escrow" } });
  new keyvault.KeyInventory("all", { expect: [pem] });`;

const FAILING = `
  const { GATEWAY, PEM, TAG, CONTENT_TYPE, VALUE, JWK, PASS } = process.env;
  const tags = { t: pulumi.secret(TAG) };
  const vaultUrl = GATEWAY;
  new keyvault.Key("refused-pem", { vaultUrl, import: { pem: PEM, passphrase: PASS }, tags });
  new keyvault.Key("refused-jwk", { vaultUrl, import: { jwk: JSON.parse(JWK) }, tags });
  new keyvault.Secret("refused", { vaultUrl, value: VALUE, contentType: pulumi.secret(CONTENT_TYPE), tags });
  new keyvault.Key("refused-made", { vaultUrl, generate: { keyType: "EC" }, tags });`;

describe.each(DOORS)("a program with a secret in every place (%s)", (door) => {
  let vault: Emulator;
  let gateway: Gateway;
  let stack: Stack;
  let failing: Stack;
  let temporary: string;
  let sampling: NodeJS.Timeout;
  const processes = new Set<string>();

  beforeAll(async () => {
    const permissions = { principals: { [TOKEN]: { keys: ["*"], secrets: ["*"] } } };
    vault = await startEmulator({ vaults: [{ name: "contoso", permissions }] });
    gateway = await Gateway.before(vault);
    const settings = {
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: {
        KEYVAULT_TOKEN: TOKEN,
        AZURE_CLIENT_SECRET: CLIENT_SECRET,
        GATEWAY: gateway.url,
        PULUMI_DEBUG_COMMANDS: "true",
        PEM: lockedPem(rsa, PASSPHRASE),
        PASS: PASSPHRASE,
        JWK: JSON.stringify(ec.jwk),
        VALUE,
        TAG: TAG ?? "",
        CONTENT_TYPE: CONTENT_TYPE ?? "",
        KEEPER: KEEPER ?? "",
      },
    };
    stack = await Stack.create({ door, program: PROGRAM, ...settings });
    failing = await Stack.create({ door, program: FAILING, ...settings });
    await stack.file("signing.pfx", lockedPfx(inPfx, PASSPHRASE));
    const configured = await stack.pulumi("config", "set", "--secret", "test:word", CONFIGURED);
    expect(configured.exitCode).toBe(0);
    temporary = join(stack.folder, "tmp");
    await mkdir(temporary);
    for (const { env } of [stack, failing]) env.TMPDIR = temporary;
    sampling = setInterval(sampleProcesses, 20);
  });

  afterAll(async () => {
    clearInterval(sampling);
    await stack?.remove();
    await failing?.remove();
    await gateway?.close();
    await vault?.close();
  });

  /** What `ps` would show of every process of the machine. */
  function sampleProcesses(): void {
    for (const pid of existsSync("/proc/self/cmdline") ? readdirSync("/proc") : []) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        processes.add(readFileSync(join("/proc", pid, "cmdline"), "utf8"));
      } catch {
        // It has ended.
      }
    }
  }

  /**
   * Every event, and the rest. The SDK of Pulumi logs each answer of the engine as it got it, at severity debug: with the
   * secret outputs and inputs of any provider. SECURITY.md says so. What never is an output is not in there either.
   */
  function expectNothingIn(text: string): void {
    expect(text.length).toBeGreaterThan(100);
    expect(found(text, CANARIES)).toEqual([]);
    const lines = text.split("\n").filter((line) => !/"severity": ?"debug"/.test(line));
    expect(found(lines.join("\n"), MARKED)).toEqual([]);
  }

  /** What is left of a run of a stack. */
  function expectNothing(run: Run, of: Stack, events?: string): void {
    const everything = [...CANARIES, ...MARKED];
    expectNothingIn(run.text);
    if (events !== undefined) expectNothingIn(readFileSync(join(of.folder, events), "utf8"));
    for (const { path, content } of [...filesIn(temporary), ...filesIn(join(of.folder, "home"))]) {
      expect([path, found(content, everything)]).toEqual([path, []]);
    }
    for (const text of stateFiles(of)) expect(found(text, everything)).toEqual([]);
    expect(found(decryptedState(of), CANARIES)).toEqual([]);
    expect(found([...processes].join("\n"), everything)).toEqual([]);
    if (processes.size > 0) expect([...processes].some((line) => line.includes("pulumi"))).toBe(true);
    expect(found(JSON.stringify(vault.requests.log), everything)).toEqual([]);
  }

  it("shows none of them in a preview, its plan and its JSON", async () => {
    const previewed = await stack.pulumi(
      "preview",
      "--json",
      "--save-plan",
      "plan.json",
      "--event-log",
      join(stack.folder, "p.json"),
    );
    expect(previewed.exitCode).toBe(0);
    expectNothing(previewed, stack, "p.json");
    expect(found(readFileSync(join(stack.folder, "plan.json"), "utf8"), [...CANARIES, ...MARKED])).toEqual([]);
  });

  it("shows none of them in the update that carries them to the vault", async () => {
    const made = await stack.up("--json", "--event-log", join(stack.folder, "u.json"));
    expectNothing(made, stack, "u.json");
    // They were in play: the vault has the values, and state has, encrypted, what the program marked.
    const ask = async (path: string): Promise<string> => {
      const answer = await fetch(`${vault.url}${path}?api-version=7.4`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      return answer.text();
    };
    const names = JSON.parse(await ask("/secrets")).value.map(({ id }: { id: string }) => new URL(id).pathname);
    const values = (await Promise.all(names.map(ask))).join();
    expect(found(values, [VALUE, CONFIGURED])).toEqual([VALUE, CONFIGURED]);
    expect(found(decryptedState(stack), MARKED)).toEqual(MARKED);
    const kinds = JSON.parse(await ask("/keys")).value;
    expect(kinds).toHaveLength(4);
  });

  it("shows none of them in a refresh, a repair of drift and a change", async () => {
    expectNothing(await stack.pulumi("preview", "--refresh", "--json", "--show-sames"), stack);
    await stack.program(PROGRAM.replaceAll("t: pulumi.secret(TAG)", "t: pulumi.secret(TAG), more: '1'"));
    expectNothing(await stack.up("--refresh", "--json", "--event-log", join(stack.folder, "r.json")), stack, "r.json");
  });

  it.each(["400 in the service's form", "403 in the service's form", "404 in words of its own"])(
    "shows none of them in a failure: a gateway says back what it is sent, as %s",
    async (form) => {
      const before = gateway.exchanges.length;
      // The look before a create is answered rightly.
      gateway.spoil = (exchange) => (exchange.body === "" ? undefined : ECHOES[form]?.(exchange));
      // The gateway refuses what the vault has done: the next form is tried on names of its own.
      await failing.program(FAILING.replaceAll("refused", `refused-${form.slice(0, 3)}`));
      const failed = await failing.tryUp("--continue-on-error", "--event-log", join(failing.folder, "f.json"));
      expect(failed.exitCode).not.toBe(0);
      expect(failed.text).toMatch(/KV_/);
      const bodies = gateway.exchanges
        .slice(before)
        .map(({ body }) => body)
        .join("\n");
      const carried = [VALUE, rsa.jwk.d ?? "", ec.jwk.d ?? "", TAG ?? ""];
      expect(found(bodies, carried)).toEqual(carried);
      expectNothing(failed, failing, "f.json");
    },
  );

  it("shows none of them when all of it goes", async () => {
    expectNothing(await stack.destroy("--json", "--event-log", join(stack.folder, "d.json")), stack, "d.json");
  });
});
