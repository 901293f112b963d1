import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type CommandRun, runCommand, startCommand } from "./command-line.js";
import { hostileVault, listedKey } from "./hostile-vault.js";
import { vaultCaller } from "./vault-caller.js";

const DAY = 86_400;
const LONG = `${"a-very-long-name-".repeat(6)}end`;

let vault: Emulator;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-inventory-"));
  vault = await startEmulator({
    vaults: [
      {
        name: "emulator",
        permissions: {
          principals: { "emulator-owner": { keys: ["*"], secrets: ["*"] }, writer: { keys: ["create"] } },
        },
      },
    ],
  });
  const call = vaultCaller(vault);
  const now = Math.floor(Date.now() / 1000);
  const make = (name: string, more: object = {}) => call("POST", `/keys/${name}/create`, { kty: "EC", ...more });
  for (let index = 0; index < 60; index++) await make(`host-${String(index).padStart(2, "0")}`);
  await make("expired", { attributes: { exp: now - DAY } });
  await make("soon", { attributes: { exp: now + 10 * DAY }, tags: { team: "orders" } });
  await make("later", { attributes: { exp: now + 100 * DAY } });
  await make("web");
  vault.vault("emulator").giveToCertificate("keys", "web");
  await make(LONG);
  await make("off", { attributes: { enabled: false } });
  await make("gone");
  await call("DELETE", "/keys/gone");
  await make("host-00");
  await call("PUT", "/keys/host-01/rotationpolicy", {
    lifetimeActions: [{ trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } }],
  });
  await call("PUT", "/secrets/database", { value: "nobody-is-to-see-this", attributes: { exp: now + 5 * DAY } });
});
afterAll(async () => {
  await vault?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => vault.requests.clear());
afterEach(() => vault.faults.clear());

const environment = (token = "emulator-owner") => ({
  AZURE_KEYVAULT_URL: vault.url,
  KEYVAULT_CREDENTIAL: "token",
  KEYVAULT_TOKEN: token,
});

const inventory = (...args: string[]): Promise<CommandRun> =>
  runCommand(["inventory", ...args], { cwd: folder, env: environment() });

const requests = (operation: string): number =>
  vault.requests.log.filter((each) => each.operation === operation).length;

const lineOf = ({ stdout }: CommandRun, name: string): string =>
  stdout.split("\n").find((line) => line.startsWith(name)) ?? "";

describe("inventory", () => {
  it("prints a table of 80 columns, without colour where it is piped, after one paging", async () => {
    const run = await inventory();
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(Math.max(...run.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(run.stdout).not.toContain("\u001b");
    expect(lineOf(run, "NAME")).toMatch(/^NAME +STATE +AGE +EXPIRES +NOTE$/);
    expect(lineOf(run, "host-30")).toMatch(/^host-30 +enabled +0 d$/);
    expect(lineOf(run, "expired")).toMatch(/^expired +enabled +0 d +\d{4}-\d\d-\d\d +expired$/);
    expect(lineOf(run, "off")).toMatch(/^off +disabled +0 d$/);
    expect(lineOf(run, "web")).toMatch(/ of a certificate$/);
    expect(run.stdout.replaceAll("\n", "")).toContain(LONG);
    expect(run.stdout).toContain(`${vault.url}: 66 keys, 1 disabled, 1 of certificates, 1 expired\n`);
    // Three pages of keys, and up to two empty ones before them.
    expect(requests("getKeys")).toBeLessThanOrEqual(5);
    expect(vault.requests.log.every(({ operation }) => ["getKeys", "challenge"].includes(operation))).toBe(true);
  });

  it("lists the rest where versions or policies of one key cannot be read, names it, and ends with 8", async () => {
    const refusal = { error: { code: "Forbidden", message: "no", innererror: { code: "KeyDisabled" } } };
    const odd = await hostileVault({
      "/keys": { body: { value: [listedKey("good"), listedKey("closed", { attributes: { enabled: false } })] } },
      "/keys/good/versions": { body: { value: [listedKey("good/0123456789abcdef0123456789abcdef")] } },
      "/keys/good/rotationpolicy": { body: { lifetimeActions: [] } },
      "/keys/closed/versions": { status: 403, body: refusal },
      "/keys/closed/rotationpolicy": { status: 403, body: refusal },
    });
    try {
      const run = await inventory("--vault", odd.url, "--versions", "--rotation", "--format", "json");
      expect(run.exitCode).toBe(8);
      expect(run.stderr).toContain("the versions of keys/closed could not be read: KV_FORBIDDEN: ");
      expect(run.stderr).toContain("the rotation policy of keys/closed could not be read: KV_FORBIDDEN: ");
      const { complete, keys, unread } = JSON.parse(run.stdout);
      expect([complete, unread.length]).toEqual([false, 2]);
      expect(keys).toMatchObject([
        { name: "good", version: "0123456789abcdef0123456789abcdef", rotates: false },
        { name: "closed", enabled: false },
      ]);
    } finally {
      await odd.close();
    }
  });

  it.each([
    ["inventory", []],
    ["adopt", []],
    ["emulator", ["--seed-from"]],
  ])("%s never makes the file of an embedded vault that is not there", async (command, source) => {
    const args = source.length > 0 ? [...source, "embedded:./typo"] : ["--vault", "embedded:./typo"];
    const run = await runCommand([command, ...args], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/: KV_FILE: there is no embedded vault \.\/typo: check the path; /);
    expect(await readdir(folder)).not.toContain("typo");
  });

  it("reads an embedded vault in the home folder by its short name", async () => {
    const store = await startEmulator({ store: join(folder, "dev.vault") });
    await vaultCaller(store)("POST", "/keys/orders/create", { kty: "EC" });
    await store.close();
    const run = await runCommand(["inventory", "--vault", "embedded:~/dev.vault"], {
      cwd: tmpdir(),
      env: { HOME: folder },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("orders") });
    expect(run.stderr.match(/embedded vault/g)).toHaveLength(1);
  });

  it("lists several vaults at once, names one that cannot be listed, and ends with 8", async () => {
    const good = await hostileVault({ "/keys": { body: { value: [listedKey("orders")] } } });
    const other = await hostileVault({ "/keys": { body: { value: [listedKey("billing")] } } });
    const odd = await hostileVault({ "/keys": { body: "no list" } });
    try {
      const both = await inventory("--vault", good.url, other.url, "--format", "json");
      expect(both).toMatchObject({ exitCode: 0, stderr: "" });
      expect(JSON.parse(both.stdout)).toMatchObject({
        format: "pulumi-keyvault/inventories/1",
        complete: true,
        vaults: [{ vaultUrl: good.url, keys: [{ name: "orders" }] }, { vaultUrl: other.url }],
      });
      const once = await inventory("--vault", good.url, `${good.url}/`, "--format", "json");
      expect(JSON.parse(once.stdout)).toMatchObject({
        format: "pulumi-keyvault/inventory/1",
        keys: [{ name: "orders" }],
      });
      const partly = await inventory("--vault", odd.url, "--vault", good.url);
      expect(partly).toMatchObject({ exitCode: 8, stdout: expect.stringMatching(/^orders/m) });
      expect(partly.stderr).toContain(`inventory: ${odd.url} could not be listed: KV_PROTOCOL: `);
      const none = await inventory("--vault", odd.url);
      expect(none).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("KV_PROTOCOL") });
    } finally {
      await Promise.all([good.close(), other.close(), odd.close()]);
    }
  });

  it("tells the stack that owns a key, and leaves the tag out that says so", async () => {
    const owned = await hostileVault({
      "/keys": {
        body: {
          value: [
            listedKey("ours", { tags: { team: "a", "pulumi-keyvault": "shop/prod 0123456789abcdef" } }),
            listedKey("theirs", { tags: { "pulumi-keyvault": "=cmd()" } }),
          ],
        },
      },
    });
    try {
      const { keys } = JSON.parse((await inventory("--vault", owned.url, "--format", "json")).stdout);
      expect(keys).toMatchObject([
        { name: "ours", tags: { team: "a" }, owner: "shop/prod" },
        { name: "theirs", tags: { "pulumi-keyvault": "=cmd()" } },
      ]);
      expect(keys[1]).not.toHaveProperty("owner");
      expect((await inventory("--vault", owned.url, "--format", "csv")).stdout).toContain(",shop/prod,http");
    } finally {
      await owned.close();
    }
  });

  it("lists the rest where a line cannot be read, names that, and ends with 8", async () => {
    const odd = await hostileVault({
      "/keys": {
        body: { value: [listedKey("good"), listedKey("late", { attributes: { exp: 1e300 } }), listedKey("a%0A::x")] },
      },
      "/deletedkeys": { body: { value: [listedKey("gone", { tags: 7 }), listedKey("left")] } },
    });
    try {
      const run = await inventory("--vault", odd.url, "--deleted", "--format", "json");
      expect(run.exitCode).toBe(8);
      expect(run.stderr).toMatch(
        /keys\/late, keys\/a\\n: :x, keys\/gone could not be read: KV_PROTOCOL: getKeys in .* lists "late"/,
      );
      const { complete, keys, deletedKeys, unread } = JSON.parse(run.stdout);
      expect([complete, keys, deletedKeys]).toMatchObject([false, [{ name: "good" }], [{ name: "left" }]]);
      expect(unread.map(({ name }: { name: string }) => name)).toEqual(["late", "a\n: :x", "gone"]);
      expect((await inventory("--vault", odd.url, "--ignore", "late", "!good")).exitCode).toBe(0);
    } finally {
      await odd.close();
    }
  });

  it.each(["inventory", "adopt"])("%s refuses text that is no glob", async (command) => {
    const run = await runCommand([command, "--ignore", "(a|b)"], { cwd: folder, env: environment() });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain('KV_USAGE: "(a|b)" is no glob over names');
  });

  it("counts a key that is deleted between the two lists once, as deleted", async () => {
    const odd = await hostileVault({
      "/keys": { body: { value: [listedKey("stays"), listedKey("Leaves")] } },
      "/deletedkeys": { body: { value: [listedKey("leaves")] } },
    });
    try {
      const run = await inventory("--vault", odd.url, "--deleted");
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      expect(run.stdout).toContain(": 1 key, 1 deleted key\n");
    } finally {
      await odd.close();
    }
  });

  it("gives JSON with secrets, deleted ones and tags, and never a value", async () => {
    const { stdout } = await inventory("--secrets", "--deleted", "--format", "json");
    const listing = JSON.parse(stdout);
    expect(listing).toMatchObject({ vaultUrl: vault.url, secrets: [{ name: "database", enabled: true }] });
    expect(listing.keys).toHaveLength(66);
    expect(listing.keys).toContainEqual(
      expect.objectContaining({ name: "soon", tags: { team: "orders" }, expired: false, ageInDays: 0 }),
    );
    expect(listing.keys).toContainEqual(expect.objectContaining({ name: "web", managedByCertificate: true }));
    expect(listing.deletedKeys).toMatchObject([{ name: "gone", recoverableUntil: expect.stringMatching(/Z$/) }]);
    expect(listing.deletedSecrets).toEqual([]);
    expect(stdout).not.toContain("nobody-is-to-see-this");
    expect(requests("getSecret")).toBe(0);
  });

  it("gives CSV with a heading and a line for each", async () => {
    const { stdout } = await inventory("--deleted", "--format", "csv");
    const lines = stdout.split("\r\n");
    expect(lines[0]).toBe(
      "kind,name,version,state,createdOn,updatedOn,notBefore,expiresOn,ageInDays,managedByCertificate,inStack,rotates,deletedOn,recoverableUntil,owner,vaultUrl",
    );
    expect(lines).toHaveLength(1 + 67 + 1);
    expect(lines.find((line) => line.startsWith("key,gone,"))).toMatch(/^key,gone,,deleted,.*Z,\d{4}-.*Z,,http:/);
  });

  it("narrows the list to what expires within a time, in days or ISO 8601", async () => {
    for (const time of ["30d", "P30D", "P1M"]) {
      const { keys } = JSON.parse((await inventory("--expires-within", time, "--format", "json")).stdout);
      expect(keys.map(({ name }: { name: string }) => name)).toEqual(["expired", "soon"]);
    }
    expect((await inventory("--expires-within", "30d", "--secrets")).stdout).toContain(
      "expiring within 30 days: 2 keys, 1 secret, 1 expired",
    );
    expect((await inventory("--expires-within", "1d", "--ignore", "expired")).stdout).toBe(
      `${vault.url} expiring within 1 day: nothing\n`,
    );
  });

  it("lists all versions of a key under its name, and tells keys that are not rotated", async () => {
    const { stdout } = await inventory("--versions", "--rotation");
    const lines = stdout.split("\n");
    const at = lines.indexOf("host-00 (no rotation)");
    expect(lines.slice(at + 1, at + 3)).toEqual([
      expect.stringMatching(/^ {2}[0-9a-f]{32} +enabled/),
      expect.stringMatching(/^ {2}[0-9a-f]{32} +enabled/),
    ]);
    expect(lines).toContain("host-01");
    expect(stdout).toContain("67 versions of keys");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("tells which keys a stack does not manage", async () => {
    const resource = (name: string, vaultUrl = vault.url) => ({
      urn: `urn:pulumi:dev::test::pulumi-nodejs:dynamic/keyvault:Key::${name}`,
      type: "pulumi-nodejs:dynamic/keyvault:Key",
      outputs: { vaultUrl, name },
    });
    const state = {
      deployment: { resources: [resource("HOST-00"), resource("soon", "https://other.vault.azure.net")] },
    };
    const bin = await fakePulumi(JSON.stringify(state), 0);
    const { stdout } = await runCommand(["inventory", "--stack", "dev", "--format", "json"], {
      cwd: folder,
      env: { ...environment(), PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    const inStack = new Map(
      JSON.parse(stdout).keys.map((key: { name: string; inStack?: boolean }) => [key.name, key.inStack]),
    );
    expect([inStack.get("host-00"), inStack.get("soon"), inStack.get("web")]).toEqual([true, false, undefined]);
    const table = await runCommand(["inventory", "--stack"], {
      cwd: folder,
      env: { ...environment(), PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    expect(lineOf(table, "soon")).toMatch(/ unmanaged$/);
    expect(lineOf(table, "host-00")).not.toContain("unmanaged");
  });

  it("ends quietly when its reader has seen enough", async () => {
    const child = startCommand(["inventory", "--format", "json"], { cwd: folder, env: environment() });
    child.stdout?.once("data", () => child.stdout?.destroy());
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += String(chunk);
    });
    const exitCode = await new Promise((done) => child.on("close", done));
    expect([exitCode, stderr]).toEqual([0, ""]);
  });
});

describe("inventory refuses, with a code and a remedy and nothing half printed,", () => {
  const refusal = async (args: string[], env: Record<string, string> = {}): Promise<string> => {
    const run = await runCommand(["inventory", "--format", "json", ...args], {
      cwd: folder,
      env: { ...environment(), ...env },
    });
    expect([run.exitCode, run.stdout]).toEqual([1, ""]);
    return run.stderr;
  };

  it("a vault that is not named, is no URL, or does not answer", async () => {
    expect(await refusal([], { AZURE_KEYVAULT_URL: "" })).toMatch(/KV_USAGE: no vault: name it with --vault/);
    expect(await refusal(["--vault", "contoso"])).toMatch(/KV_INVALID_INPUT: .*use the form https:/);
    expect(await refusal(["--vault", "http://127.0.0.1:9"])).toMatch(/KV_TRANSPORT: .*nothing listens/);
  });

  it("a caller without the permission", async () => {
    expect(await refusal([], { KEYVAULT_TOKEN: "writer" })).toMatch(/KV_FORBIDDEN: .*grant the keys\/list permission/);
    expect(await refusal([], { KEYVAULT_TOKEN: "" })).toMatch(/KV_UNAUTHENTICATED: /);
  });

  it("a credential that expires in the middle of paging", async () => {
    vault.faults.add({ kind: "expiredToken", operation: "getKeys", after: 2 });
    expect(await refusal([])).toMatch(/KV_UNAUTHENTICATED: /);
  });

  it("a host that is no vault", async () => {
    const server = createServer((_request, response) => response.end("<html>Welcome</html>"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    expect(await refusal(["--vault", `http://127.0.0.1:${port}`])).toMatch(/KV_PROTOCOL: .*not JSON/);
    server.close();
  });

  it("times and options that it does not know", async () => {
    expect(await refusal(["--expires-within", "soon"])).toMatch(/KV_USAGE: .*a time such as 30d or P30D/);
    expect(await refusal(["--format", "xml"])).toMatch(/KV_USAGE: .*table, json, csv/);
  });

  it("a stack whose state cannot be read", async () => {
    const bin = await fakePulumi("error: no stack named 'nope' found", 255);
    const run = await runCommand(["inventory", "--stack", "nope"], {
      cwd: folder,
      env: { ...environment(), PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    expect(run.stdout).toBe("");
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toMatch(/KV_STACK: .*"nope"/);
  });
});

/** A folder with a `pulumi` that prints a text. */
async function fakePulumi(text: string, exitCode: number): Promise<string> {
  const bin = await mkdtemp(join(folder, "bin-"));
  const stream = exitCode === 0 ? "stdout" : "stderr";
  const script = `#!${process.execPath}\nprocess.${stream}.write(${JSON.stringify(text)});\nprocess.exitCode = ${exitCode};\n`;
  await writeFile(join(bin, "pulumi"), script);
  await chmod(join(bin, "pulumi"), 0o755);
  return bin;
}
