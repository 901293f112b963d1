import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportDocument } from "../../cli/report/report-document.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "./command-line.js";
import { hostileVault, listedKey } from "./hostile-vault.js";
import { vaultCaller } from "./vault-caller.js";

const DAY = 86_400;
const CANARY = "nobody-is-to-see-this-value";

describe("pulumi-keyvault report", () => {
  let vault: Emulator;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-report-"));
    vault = await startEmulator({
      vaults: [
        {
          name: "emulator",
          permissions: {
            principals: {
              "emulator-owner": { keys: ["*"], secrets: ["*"] },
              keysOnly: { keys: ["get", "list"] },
              secretsOnly: { secrets: ["get", "list"] },
              nobody: {},
              lister: { keys: ["list", "getrotationpolicy"], secrets: ["list"] },
            },
          },
        },
      ],
    });
    const call = vaultCaller(vault);
    const now = Math.floor(Date.now() / 1000);
    await call("POST", "/keys/orders/create", { kty: "EC", attributes: { exp: now + 400 * DAY } });
    await call("POST", "/keys/rsa/create", { kty: "RSA", key_size: 3072, attributes: { exp: now - DAY } });
    await call("POST", "/keys/soon/create", { kty: "EC", crv: "P-384", attributes: { exp: now + 10 * DAY } });
    await call("POST", "/keys/off/create", { kty: "EC", attributes: { enabled: false } });
    await call("POST", "/keys/gone/create", { kty: "EC" });
    await call("DELETE", "/keys/gone");
    await call("PUT", "/keys/orders/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } }],
    });
    await call("PUT", "/secrets/db", { value: CANARY, contentType: "text/plain" });
    await call("POST", "/keys/web/create", { kty: "EC" });
    vault.vault("emulator").giveToCertificate("keys", "web");
  });
  afterAll(async () => {
    await vault?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const env = (token = "emulator-owner") => ({
    AZURE_KEYVAULT_URL: vault.url,
    KEYVAULT_CREDENTIAL: "token",
    KEYVAULT_TOKEN: token,
  });
  const reportOf = async (args: string[], more: Record<string, string> = {}) => {
    const run = await runCommand(["report", "--format", "json", ...args], { cwd: folder, env: { ...env(), ...more } });
    return { run, report: reportDocument.parse(JSON.parse(run.stdout)) };
  };
  /** A `pulumi` that tells one state, whatever stack it is asked for. */
  const engineThatTells = async (resources: object[]): Promise<Record<string, string>> => {
    const bin = join(folder, "bin");
    await rm(bin, { recursive: true, force: true });
    await mkdir(bin);
    await writeFile(join(folder, "state.json"), JSON.stringify({ deployment: { resources } }));
    await writeFile(join(bin, "pulumi"), `#!/bin/sh\ncat "${join(folder, "state.json")}"\n`);
    await chmod(join(bin, "pulumi"), 0o755);
    return { PATH: `${bin}${delimiter}${process.env.PATH}` };
  };

  it("tells type, age, expiry, rotation and what to look at, of each key and secret", async () => {
    const { run, report } = await reportOf([]);
    expect(run.exitCode, run.stderr).toBe(0);
    const of = (name: string) => report.objects.find((object) => object.name === name);
    expect(of("orders")).toMatchObject({ type: "EC P-256", rotates: true, expiresInDays: 399, concerns: [] });
    expect(of("rsa")).toMatchObject({ type: "RSA 3072", concerns: ["expired", "not rotated"] });
    expect(of("soon")).toMatchObject({ type: "EC P-384", concerns: ["expires soon", "not rotated"] });
    expect(of("off")).toMatchObject({ enabled: false, concerns: ["never expires", "disabled", "not rotated"] });
    expect(of("web")).toMatchObject({ managedByCertificate: true, concerns: [] });
    expect(of("db")).toMatchObject({ kind: "secret", type: "text/plain", concerns: ["never expires"] });
    expect(report.deleted).toEqual([expect.objectContaining({ name: "gone", daysLeft: 89 })]);
    expect(report.complete).toBe(true);
  });

  it("tells what a stack manages and how fresh its backups are, from the stack's state", async () => {
    const { report: before } = await reportOf([]);
    const updatedOn = (name: string) => before.objects.find((object) => object.name === name)?.updatedOn;
    const urn = (type: string, name: string) =>
      `urn:pulumi:prod::shop::pulumi-nodejs:dynamic/keyvault:${type}::${name}`;
    const resource = (type: string, name: string, outputs: object) => ({
      urn: urn(type, name),
      type: `pulumi-nodejs:dynamic/keyvault:${type}`,
      outputs: { vaultUrl: vault.url, ...outputs },
    });
    const engine = await engineThatTells([
      resource("Key", "orders", { name: "orders" }),
      resource("KeyBackup", "orders", {
        name: "orders",
        takenOn: "2026-11-01T00:00:00Z",
        covered: { version: "v", updatedOn: updatedOn("orders") },
      }),
      resource("VaultBackup", "all", {
        takenOn: "2026-10-01T00:00:00Z",
        covered: { keys: { rsa: "v 2026-01-01T00:00:00Z" }, secrets: { db: `v ${updatedOn("db")}` } },
      }),
    ]);
    const { run, report } = await reportOf(["--stack", "prod"], engine);
    expect(run.exitCode, run.stderr).toBe(0);
    const of = (name: string) => report.objects.find((object) => object.name === name);
    expect(of("orders")).toMatchObject({
      inStack: true,
      backup: { resource: "prod: KeyBackup orders", current: true },
    });
    expect(of("rsa")?.concerns).toEqual(["expired", "not rotated", "unmanaged", "stale backup"]);
    expect(of("db")).toMatchObject({ backup: { resource: "prod: VaultBackup all", current: true } });
    expect(of("soon")?.concerns).toContain("no backup");
  });

  it("tells drift where a preview is given", async () => {
    const preview = await readFile(join(__dirname, "fixtures/drift-preview.json"), "utf8");
    const [recorded = ""] = /https?:[^"]*?(?=\/keys\/)/.exec(preview) ?? [];
    const name = new RegExp(`${recorded}/keys/([\\w-]+)`).exec(preview)?.[1] ?? "";
    expect(name).not.toBe("");
    await writeFile(join(folder, "preview.json"), preview);
    const key = { kid: `${recorded}/keys/${name}`, attributes: { enabled: true } };
    const other = await hostileVault({ "/keys": { body: { value: [key] } } });
    try {
      const moved = preview.replaceAll(recorded, other.url);
      await writeFile(join(folder, "preview.json"), moved);
      const { report } = await reportOf(["--vault", other.url, "--drift", "preview.json"]);
      expect(report.objects).toEqual([
        expect.objectContaining({ name, concerns: expect.arrayContaining(["drifted"]), drift: expect.any(Array) }),
      ]);
    } finally {
      await other.close();
    }
  });

  it("is written anew over an earlier one, and over nothing else", async () => {
    const page = join(folder, "keyvault-report.html");
    for (const _time of [1, 2]) {
      const run = await runCommand(["report"], { cwd: folder, env: env() });
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stderr).toMatch(/^6 objects of one vault, 4 to look at: keyvault-report\.html\n$/);
    }
    await writeFile(page, "somebody's own page");
    const refused = await runCommand(["report"], { cwd: folder, env: env() });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KV_FILE_EXISTS") });
    expect(await readFile(page, "utf8")).toBe("somebody's own page");
    await rm(page);
  });

  it("names what could not be read, and reports the rest", async () => {
    const { run, report } = await reportOf(["--vault", vault.url, "http://127.0.0.1:9"]);
    expect(run.exitCode).toBe(8);
    expect(report.objects).toHaveLength(6);
    expect(report.unread).toEqual([expect.objectContaining({ what: "http://127.0.0.1:9", code: "KV_TRANSPORT" })]);
    const lister = await reportOf([], { KEYVAULT_TOKEN: "lister" });
    expect(lister.run.exitCode).toBe(8);
    expect(lister.report.unread).toHaveLength(1);
    expect(lister.report.objects.every(({ kind, type }) => kind === "secret" || type === undefined)).toBe(true);
  });

  it.each([
    ["keysOnly", "key", ["keys/* (rotation policy)", "secrets/* (list of deleted ones)", "secrets/* (list)"]],
    ["secretsOnly", "secret", ["keys/* (list of deleted ones)", "keys/* (list)"]],
  ])("is made for %s, and names the lists that this caller may not read", async (token, kind, lost) => {
    const { run, report } = await reportOf([], { KEYVAULT_TOKEN: token });
    expect([run.exitCode, report.complete]).toEqual([8, false]);
    expect([...new Set(report.objects.map((object) => object.kind))]).toEqual([kind]);
    const paths = lost.map((each) => `${vault.url}/${each}`);
    expect(report.unread.map(({ what }) => what).sort()).toEqual(paths);
    expect(report.unread.every(({ code }) => code === "KV_FORBIDDEN")).toBe(true);
    const list = await runCommand(["inventory", "--secrets"], {
      cwd: folder,
      env: { ...env(), KEYVAULT_TOKEN: token },
    });
    expect(list.exitCode).toBe(8);
    expect(list.stderr).toMatch(/the list of (keys|secrets)\/\* could not be read: KV_FORBIDDEN: /);
  });

  it("is not made for a caller who may list nothing", async () => {
    const run = await runCommand(["report"], { cwd: folder, env: { ...env(), KEYVAULT_TOKEN: "nobody" } });
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("keys/list") });
  });

  it("asks once for what this caller may not read of any key", async () => {
    vault.requests.clear();
    await reportOf([], { KEYVAULT_TOKEN: "lister" });
    const asked = (operation: string) => vault.requests.log.filter((request) => request.operation === operation).length;
    expect(asked("getKey")).toBeLessThanOrEqual(16);
    vault.requests.clear();
    const { report } = await reportOf([], { KEYVAULT_TOKEN: "keysOnly" });
    expect(report.unread.filter(({ what }) => what.includes("rotation policy"))).toHaveLength(1);
  });

  it("lists the keys of a Managed HSM, which has no secrets", async () => {
    const hsm = await startEmulator({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    try {
      const { run, report } = await reportOf(["--vault", hsm.url]);
      expect([run.exitCode, run.stderr, report.unread]).toEqual([0, "", []]);
    } finally {
      await hsm.close();
    }
  });

  it("takes vaults from a fleet file", async () => {
    await writeFile(join(folder, "fleet.json"), JSON.stringify({ vaults: [{ url: vault.url, credential: "token" }] }));
    const { report } = await reportOf(["--fleet", "fleet.json"], { AZURE_KEYVAULT_URL: "http://127.0.0.1:9" });
    expect(report.vaults).toEqual([vault.url]);
    const ofEditor = { $schema: "./docs/schemas/fleet.json", vaults: [vault.url] };
    await writeFile(join(folder, "editor.json"), `\ufeff${JSON.stringify(ofEditor)}`);
    expect((await reportOf(["--fleet", "editor.json"])).report.vaults).toEqual([vault.url]);
    const nowhere = { ...env(), AZURE_KEYVAULT_URL: "http://127.0.0.1:9" };
    const list = await runCommand(["inventory", "--fleet", "fleet.json", "-q"], { cwd: folder, env: nowhere });
    expect(list).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("orders") });
    const drift = await runCommand(["drift", "--fleet", "fleet.json"], { cwd: folder, env: nowhere });
    expect(drift).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("names no stack") });
    await writeFile(join(folder, "fleet.json"), JSON.stringify({ vault: [] }));
    const wrong = await runCommand(["report", "--fleet", "fleet.json"], { cwd: folder, env: env() });
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is no fleet file") });
  });

  it("holds no value of a secret, and asks for none", async () => {
    vault.requests.clear();
    const run = await runCommand(["report", "-o", "-"], { cwd: folder, env: env() });
    expect(run.stdout).not.toContain(CANARY);
    expect(vault.requests.log.filter(({ operation }) => operation === "getSecret")).toEqual([]);
  });

  it("shows hostile names as text", async () => {
    const hostile = await hostileVault({
      "/keys": {
        body: {
          value: [
            listedKey("a", { tags: { "pulumi-keyvault": '<img src=x onerror="alert(1)">/</script><script> t' } }),
            listedKey("%3Cscript%3Ealert(1)%3C/script%3E"),
          ],
        },
      },
    });
    try {
      const run = await runCommand(["report", "-o", "-", "--vault", hostile.url], { cwd: folder, env: env() });
      expect(run.stdout).not.toContain("<img");
      expect(run.stdout.match(/<script>/g)).toHaveLength(1);
    } finally {
      await hostile.close();
    }
  });
});
