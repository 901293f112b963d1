import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { doctorDocument } from "../../cli/doctor/doctor-document.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { OPERATIONS } from "../../provider/keyvault/operations.js";
import { runCommand } from "./command-line.js";

type Document = z.output<typeof doctorDocument>;

const open: { close(): unknown }[] = [];
let vault: Emulator;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-doctor-"));
  const principals = {
    "emulator-owner": { keys: ["*"], secrets: ["*"] },
    watcher: { keys: ["get", "list"], secrets: ["list"] },
    nobody: {},
  };
  vault = await startEmulator({
    vaults: [
      { name: "contoso", permissions: { model: "rbac", principals } },
      { name: "policies", permissions: { model: "accessPolicy", principals } },
    ],
  });
});
afterAll(async () => {
  await vault?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  vault.faults.clear();
  vault.vault("contoso").configure({ firewall: "open" });
  for (const each of open.splice(0)) await each.close();
});

interface Asked {
  url?: string;
  token?: string;
  args?: string[];
  env?: Record<string, string>;
}

async function doctor({ url = vault.url, token = "emulator-owner", args = [], env = {} }: Asked = {}) {
  const variables = { AZURE_KEYVAULT_URL: url, KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: token, ...env };
  return runCommand(["doctor", "--timeout", "30", ...args], { cwd: folder, env: variables });
}

async function diagnosis(asked: Asked = {}): Promise<Document & { exitCode: number | null }> {
  const run = await doctor({ ...asked, args: ["--json", ...(asked.args ?? [])] });
  expect(run.stderr).toBe("");
  const printed: unknown = JSON.parse(run.stdout);
  const document = doctorDocument.parse(printed);
  expect(document).toEqual(printed);
  return { ...document, exitCode: run.exitCode };
}

const found = ({ checks }: Document, name: string) => checks.find(({ check }) => check === name);
const resultOf = ({ permissions }: Document, name: string): string[] =>
  permissions.filter(({ permission }) => permission === name).map(({ result }) => result);

async function listening(server: Server, host = "127.0.0.1"): Promise<string> {
  open.push({ close: () => new Promise((done) => server.close(done)) });
  await new Promise<void>((done) => server.listen(0, host, done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("doctor", () => {
  it("tells what works, and writes nothing", async () => {
    vault.requests.clear();
    const run = await doctor();
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toMatch(/^keys\/backup +allowed +Key Vault Crypto User +backups$/m);
    expect(run.stdout).toMatch(/^keys\/import +not tried +Key Vault Crypto Officer +import$/m);
    expect(Math.max(...run.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const asked = new Set(vault.requests.log.map(({ operation }) => operation).filter((each) => each !== "challenge"));
    expect([...asked]).toContain("backupKey");
    const writes = Object.entries(OPERATIONS).filter(([, { write }]) => write);
    expect(writes.map(([name]) => name).filter((name) => asked.has(name))).toEqual([]);
  });

  it("tells by a 403 what an identity may not do, and by a 404 what it may", async () => {
    const watched = await diagnosis({ token: "watcher" });
    expect(watched).toMatchObject({ exitCode: 0, healthy: true });
    expect(resultOf(watched, "keys/get")).toEqual(["allowed"]);
    expect(resultOf(watched, "keys/backup")).toEqual(["refused"]);
    expect(resultOf(watched, "secrets/get")).toEqual(["refused"]);
    expect(resultOf(watched, "secrets/set")).toEqual(["not tried"]);
    expect(watched.permissions.find(({ permission }) => permission === "keys/backup")).toMatchObject({
      code: "KV_FORBIDDEN",
      innerCode: "ForbiddenByRbac",
      role: "Key Vault Crypto User",
    });
  });

  it("fails for an identity that may do nothing", async () => {
    const run = await diagnosis({ token: "nobody", url: vault.vault("policies").url });
    expect(run.exitCode).toBe(7);
    expect(found(run, "permissions")).toMatchObject({ result: "failed" });
    expect(found(run, "firewall")).toMatchObject({ result: "ok" });
  });

  it("fails for a permission that is required, and takes only such as can be looked at", async () => {
    expect(await diagnosis({ token: "watcher", args: ["--require", "keys/list", "keys/get"] })).toMatchObject({
      exitCode: 0,
      missing: [],
    });
    const lacking = await doctor({ token: "watcher", args: ["--require", "keys/get", "keys/backup"] });
    expect(lacking.exitCode).toBe(7);
    expect(lacking.stdout).toContain("Required and not there: keys/backup.");
    const untried = await doctor({ args: ["--require", "keys/import"] });
    expect(untried).toMatchObject({ exitCode: 1, stdout: "" });
    expect(untried.stderr).toContain("KV_USAGE: keys/import cannot be required");
    expect((await doctor({ args: ["--require", "everything"] })).stderr).toContain("KV_USAGE: --require takes");
  });

  it("tells a refused token from a missing one", async () => {
    vault.faults.add({ kind: "expiredToken" });
    const refused = await diagnosis();
    expect(refused.exitCode).toBe(7);
    expect(found(refused, "credential")).toMatchObject({ result: "ok" });
    expect(found(refused, "token")).toMatchObject({ result: "failed", code: "KV_UNAUTHENTICATED" });
    expect(found(refused, "permissions")).toMatchObject({ result: "skipped" });
    vault.faults.clear();
    const missing = await diagnosis({ token: "" });
    expect(found(missing, "credential")).toMatchObject({ result: "failed", code: "KV_UNAUTHENTICATED" });
    expect(found(missing, "token")).toMatchObject({ result: "skipped" });
  });

  it("tells a token's expiry and audience, and whose it is", async () => {
    const { token } = await vault.credentialFor("watcher").getToken("https://vault.azure.net/.default");
    const run = await diagnosis({ token });
    expect(found(run, "credential")).toMatchObject({ result: "ok", found: expect.stringContaining("watcher") });
    expect(found(run, "token")?.found).toMatch(/^for https:\/\/vault\.azure\.net, until 20\d\d-/);
    expect(JSON.stringify(run)).not.toContain(token.slice(0, 40));
    const claims = Buffer.from(JSON.stringify({ oid: "watcher", exp: 1_000_000 })).toString("base64url");
    const old = await diagnosis({ token: `e30.${claims}.` });
    expect(found(old, "token")).toMatchObject({ result: "failed", found: expect.stringContaining("it has expired") });
  });

  it.each([
    ["firewall", "ForbiddenByFirewall", "network-rule add"],
    ["networkSecurityPerimeter", "ForbiddenByFirewall", "inbound rule"],
    ["publicAccessDisabled", "ForbiddenByConnection", "private endpoint"],
  ] as const)("tells a refusing network by the service's inner code: %s", async (firewall, innerCode, remedy) => {
    vault.vault("contoso").configure({ firewall });
    const run = await diagnosis();
    expect(run.exitCode).toBe(7);
    expect(found(run, "firewall")).toMatchObject({
      result: "failed",
      code: "KV_FORBIDDEN",
      innerCode,
      remedy: expect.stringContaining(remedy),
    });
    expect(run.permissions).toEqual([]);
  });

  it.each([
    [-3_600, "failed", "3600 seconds ahead of the vault"],
    [120, "warning", "120 seconds behind the vault"],
    [10, "ok", "within a minute"],
  ])("compares the clocks: %i seconds", async (seconds, result, words) => {
    const url = await listening(
      createHttpServer((_request, response) => {
        const date = new Date(Date.now() + seconds * 1000).toUTCString();
        response.writeHead(200, { "content-type": "application/json", date }).end('{"value":[]}');
      }),
    );
    const clock = found(await diagnosis({ url }), "clock");
    expect(clock).toMatchObject({ result });
    // The header has whole seconds.
    expect(clock?.found.replace(/\d+(?= seconds)/, (text) => `${Math.round(Number(text) / 10) * 10}`)).toContain(words);
  });

  it("tells a closed port", async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((done) => server.close(done));
    const run = await diagnosis({ url });
    expect(run.exitCode).toBe(7);
    expect(found(run, "connection")).toMatchObject({ result: "failed", code: "KV_TRANSPORT" });
    expect(found(run, "connection")?.found).toContain("ECONNREFUSED");
    expect(found(run, "answer")).toMatchObject({ result: "skipped" });
  });

  it("tells a server that says nothing, and one that is no vault", async () => {
    const silent = createServer((socket) => {
      open.push({ close: () => socket.destroy() });
    });
    const url = await listening(silent);
    const run = await diagnosis({ url, args: ["--timeout", "0.5"] });
    expect(found(run, "answer")).toMatchObject({ result: "failed", code: "KV_TIMEOUT" });
    for (const each of open.splice(0).reverse()) await each.close();
    const gateway = createHttpServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>");
    });
    const strange = await diagnosis({ url: await listening(gateway) });
    expect(found(strange, "answer")).toMatchObject({ result: "failed", code: "KV_PROTOCOL" });
  });

  it("tells a certificate that is not trusted, and goes on once its authority is", async () => {
    const secure = await startEmulator({ tls: true });
    open.push(secure);
    const untrusted = await diagnosis({ url: secure.url });
    expect(untrusted.exitCode).toBe(7);
    expect(found(untrusted, "connection")).toMatchObject({ result: "ok" });
    expect(found(untrusted, "tls")).toMatchObject({
      result: "failed",
      remedy: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
    const authority = join(folder, "ca.pem");
    await writeFile(authority, secure.caCertificate ?? "");
    const trusted = await diagnosis({ url: secure.url, env: { NODE_EXTRA_CA_CERTS: authority } });
    expect(trusted.exitCode).toBe(0);
    expect(found(trusted, "tls")?.found).toMatch(/^TLSv1\.[23], certificate by pulumi-keyvault/);
  });

  it("looks at an embedded vault, and makes none", async () => {
    const memory = await diagnosisOfEmbedded("embedded:memory");
    expect(memory.exitCode).toBe(0);
    expect(memory.stdout).toContain("an embedded vault, in this process");
    const missing = await diagnosisOfEmbedded("embedded:./no.vault");
    expect(missing).toMatchObject({ exitCode: 1, stdout: "" });
    expect(missing.stderr).toContain("KV_FILE: there is no embedded vault");
  });

  it("tells an unknown credential, and a vault that is not named", async () => {
    expect(await doctor({ args: ["--credential", "azure-clo"] })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("KV_INVALID_INPUT"),
    });
    expect((await doctor({ url: "" })).stderr).toContain("KV_USAGE: no vault");
  });
});

const diagnosisOfEmbedded = (url: string) => doctor({ args: ["--vault", url] });
