import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseFault } from "../../cli/emulator/fault-rule.js";
import { startEmulator } from "../../emulator/index.js";
import { ended, runCommand, startCommand } from "./command-line.js";
import { vaultCaller } from "./vault-caller.js";

const list = z.looseObject({
  value: z.array(z.looseObject({ kid: z.string().optional(), id: z.string().optional() })),
});

describe("emulator", () => {
  let folder: string;
  const running: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-cli-"));
  });

  afterEach(async () => {
    for (const child of running.splice(0)) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts it and waits for its last environment line. */
  async function emulator(...args: string[]) {
    const child = startCommand(["emulator", ...args], { cwd: folder });
    running.push(child);
    const end = ended(child);
    let text = "";
    const lastLine = args.includes("--no-tls") ? "KEYVAULT_TOKEN" : "SSL_CERT_FILE";
    while (!text.includes(`export ${lastLine}=`)) {
      const chunk: unknown[] = await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, "data"),
        end.then((run) => [run]),
      ]);
      if (typeof chunk[0] !== "string") throw new Error(`the emulator ended: ${JSON.stringify(chunk[0])}`);
      text += chunk[0];
    }
    const env = Object.fromEntries(
      [...text.matchAll(/^export (\w+)=(.*)$/gm)].map((match) => [match[1], match[2] ?? ""]),
    );
    return { child, end, text, env };
  }

  /** A request as another tool makes it: with the printed URL, token and authority. */
  async function get(env: Record<string, string>, path: string): Promise<{ status: number; body: unknown }> {
    const ca = env.SSL_CERT_FILE === undefined ? undefined : await readFile(env.SSL_CERT_FILE, "utf8");
    const url = new URL(`${path}?api-version=7.4`, env.AZURE_KEYVAULT_URL);
    return new Promise((done, fail) => {
      const headers = { authorization: `Bearer ${env.KEYVAULT_TOKEN}` };
      const call = request(url, { headers, ...(ca === undefined ? {} : { ca }) }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => done({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
      });
      call.on("error", fail).end();
    });
  }

  const names = async (env: Record<string, string>, path: string) =>
    list.parse((await get(env, path)).body).value.map(({ kid, id }) => (kid ?? id ?? "").split("/").at(-1));

  it("serves HTTPS on loopback and prints what other tools need, in a form that a shell can read", async () => {
    const { text, env } = await emulator();
    expect(text.split("\n").filter((line) => line !== "" && !/^(#|export \w+=)/.test(line))).toEqual([]);
    expect(env).toMatchObject({
      AZURE_KEYVAULT_URL: expect.stringMatching(/^https:\/\/((emulator\.)?localhost|127\.0\.0\.1):\d+$/),
      KEYVAULT_CREDENTIAL: "token",
      NODE_EXTRA_CA_CERTS: env.SSL_CERT_FILE,
      REQUESTS_CA_BUNDLE: env.SSL_CERT_FILE,
    });
    expect(await get(env, "/keys")).toMatchObject({ status: 200, body: { value: [] } });
  });

  it("lets the other commands reach it with just these lines", async () => {
    const { env } = await emulator("--seed-from", await seedFile());
    const run = await runCommand(["adopt"], { cwd: folder, env });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("2 keys and 1 secret to adopt") });
  });

  it.each(["SIGTERM", "SIGINT"] as const)("stops cleanly on %s and takes its files with it", async (signal) => {
    const { child, end, env } = await emulator("--write-env", "emulator.env");
    expect(await readFile(join(folder, "emulator.env"), "utf8")).toContain(
      `AZURE_KEYVAULT_URL=${env.AZURE_KEYVAULT_URL}`,
    );
    child.kill(signal);
    expect(await end).toMatchObject({ exitCode: 0, stderr: "" });
    await expect(stat(env.SSL_CERT_FILE ?? "")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(join(folder, "emulator.env"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("prints lines that Azure's own clients take as they stand, or says with which switch they do", async () => {
    const { text, env } = await emulator();
    const needsSwitch = text.includes("disableChallengeResourceVerification");
    expect(needsSwitch).toBe(!env.AZURE_KEYVAULT_URL?.includes("emulator.localhost"));
    const program = `
      const { SecretClient } = require("@azure/keyvault-secrets");
      const token = process.env.KEYVAULT_TOKEN;
      const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
      const options = { disableChallengeResourceVerification: ${needsSwitch} };
      const secrets = new SecretClient(process.env.AZURE_KEYVAULT_URL, credential, options);
      secrets.setSecret("greeting", "hello").then(() => secrets.getSecret("greeting")).then(({ value }) => console.log(value));`;
    await writeFile(join(folder, "azure.cjs"), program);
    await symlink(join(__dirname, "../../node_modules"), join(folder, "node_modules"));
    const child = spawn(process.execPath, ["azure.cjs"], { cwd: folder, env: { PATH: process.env.PATH, ...env } });
    expect(await ended(child)).toMatchObject({ exitCode: 0, stdout: "hello\n" });
  });

  it("prints the environment lines alone with --quiet", async () => {
    const { text } = await emulator("--quiet");
    expect(text.split("\n").filter((line) => line !== "" && !/^export \w+=/.test(line))).toEqual([]);
  });

  it("names every kind and member of a fault in its help", async () => {
    const { stdout } = await runCommand(["emulator", "--help"]);
    const refusal = (fault: string): string => {
      try {
        return String(parseFault(fault));
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    };
    const kinds = refusal("none").split("one of ")[1]?.split(", ") ?? [];
    const members = refusal("status,none=1").split("members are kind, ")[1]?.split(", ") ?? [];
    expect([kinds.length > 10, members.length > 10]).toEqual([true, true]);
    for (const word of [...kinds, ...members]) expect(stdout).toMatch(new RegExp(`\\b${word}\\b`));
  });

  it("never overwrites a file with its environment without --force, and does not start", async () => {
    await writeFile(join(folder, "emulator.env"), "mine");
    const run = await runCommand(["emulator", "--store", "dev.vault", "--write-env", "emulator.env"], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/^pulumi-keyvault emulator: KV_FILE_EXISTS: emulator\.env exists .*--force\n$/);
    expect(await readdir(folder)).toEqual(["emulator.env"]);
    expect(await readFile(join(folder, "emulator.env"), "utf8")).toBe("mine");

    const { child, end } = await emulator("--write-env", "emulator.env", "--force");
    expect(await readFile(join(folder, "emulator.env"), "utf8")).toContain("AZURE_KEYVAULT_URL");
    child.kill("SIGTERM");
    await end;
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves a file that somebody has changed meanwhile", async () => {
    const { child, end } = await emulator("--write-env", "emulator.env");
    await appendFile(join(folder, "emulator.env"), "export MINE=1\n");
    child.kill("SIGTERM");
    await end;
    expect(await readFile(join(folder, "emulator.env"), "utf8")).toContain("MINE");
  });

  it("replaces the authority of an earlier run, and no other file", async () => {
    for (let round = 0; round < 2; round++) {
      const { child, end } = await emulator("--ca-file", "ca.pem");
      child.kill("SIGTERM");
      await end;
    }
    await writeFile(join(folder, "ca.pem"), "mine");
    const run = await runCommand(["emulator", "--ca-file", "ca.pem"], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KV_FILE_EXISTS: ca.pem exists") });
    expect(await readFile(join(folder, "ca.pem"), "utf8")).toBe("mine");
  });

  it("keeps its keys in a store, which only its owner may read", async () => {
    const first = await emulator("--store", "dev.vault", "--seed-from", await seedFile());
    first.child.kill("SIGTERM");
    await first.end;
    expect((await stat(join(folder, "dev.vault"))).mode & 0o777).toBe(0o600);
    const second = await emulator("--store", "dev.vault");
    expect(await names(second.env, "/keys")).toEqual(["orders", "tls"]);
  });

  it("is filled from JSON: names, kinds, attributes and tags; and once only", async () => {
    const seed = await seedFile();
    const { env } = await emulator("--store", "dev.vault", "--seed-from", seed);
    expect((await get(env, "/keys/orders")).body).toMatchObject({
      key: { kty: "EC", crv: "P-384" },
      attributes: { enabled: false, exp: 1_893_456_000 },
      tags: { team: "orders" },
    });
    expect((await get(env, "/secrets/password")).body).toMatchObject({ value: "seeded", contentType: "text/plain" });
    const again = await emulator("--store", "dev.vault", "--seed-from", seed);
    expect(again.text).toContain("Seeded: 0 keys");
  });

  it("is filled from another vault, with new material", async () => {
    const source = await startEmulator();
    try {
      const call = vaultCaller(source);
      await call("POST", "/keys/copied/create", { kty: "EC", tags: { from: "elsewhere" } });
      await call("PUT", "/secrets/password", { value: "hunter2-very-secret", contentType: "text/plain" });
      const child = startCommand(["emulator", "--no-tls", "--seed-from", source.url, "--credential", "token"], {
        cwd: folder,
        env: { KEYVAULT_TOKEN: source.token },
      });
      running.push(child);
      const end = ended(child);
      const [text] = await once(child.stdout as NodeJS.ReadableStream, "data");
      const url = /AZURE_KEYVAULT_URL=(\S+)/.exec(String(text))?.[1] ?? "";
      const inCopy = vaultCaller({ url, token: "emulator-owner" });
      expect(await inCopy("GET", "/keys/copied")).toMatchObject({ key: { kty: "EC" }, tags: { from: "elsewhere" } });
      expect(await inCopy("GET", "/secrets/password")).toMatchObject({ value: "seeded", contentType: "text/plain" });
      expect(source.requests.log.map(({ operation }) => operation)).not.toContain("getSecret");
      child.kill("SIGTERM");
      await end;
    } finally {
      await source.close();
    }
  });

  it("serves several vaults on one port, each under its name", async () => {
    const { text } = await emulator("--vault", "orders", "--vault", "billing");
    expect(text).toMatch(/# orders: https:\/\/(localhost|127\.0\.0\.1|orders\.localhost):\d+/);
    expect(text).toMatch(/# billing: https:\/\/billing\.localhost:\d+/);
  });

  it("injects the faults that it is told of", async () => {
    const { env } = await emulator("--fault", "status,status=503,operation=getKeys,times=1");
    expect((await get(env, "/keys")).status).toBe(503);
    expect((await get(env, "/keys")).status).toBe(200);
  });

  it("limits requests where it is told to", async () => {
    const { env } = await emulator("--throttling", "0.0005");
    const statuses: number[] = [];
    for (let each = 0; each < 4; each += 1) statuses.push((await get(env, "/keys")).status);
    expect(statuses).toContain(429);
  });

  it.each([
    ["a fault of no kind", ["--fault", "meteor"], "KV_USAGE"],
    ["a name that no vault can have", ["--vault", "x"], "KV_USAGE"],
    ["a port that is none", ["--port", "99999"], "KV_USAGE"],
    ["an unknown plane", ["--plane", "astral"], "KV_USAGE"],
    ["an unknown option", ["--bogus"], "KV_USAGE"],
    ["a store in a folder that is not there", ["--store", "no/such/dev.vault"], "KV_FILE"],
    ["a seed that is not there", ["--seed-from", "no-such.json"], "KV_FILE"],
  ])("refuses %s", async (_what, args, code) => {
    const run = await runCommand(["emulator", ...args], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(new RegExp(`^pulumi-keyvault emulator: ${code}: .+\n$`));
  });

  it("tells a port that is taken", async () => {
    const { env } = await emulator();
    const { port } = new URL(env.AZURE_KEYVAULT_URL ?? "");
    const run = await runCommand(["emulator", "--port", port], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`KV_PORT: port ${port} is taken`) });
  });

  it("refuses a seed that is none, without repeating what is in it", async () => {
    await writeFile(
      join(folder, "seed.json"),
      '{ "secrets": [{ "name": "not a name", "value": "hunter2-very-secret" }] }',
    );
    const run = await runCommand(["emulator", "--seed-from", "seed.json"], { cwd: folder });
    expect(run.stderr).toContain("KV_FILE: seed.json is no seed (secrets.0.name does not fit)");
    expect(run.stderr).not.toContain("hunter2");
  });

  async function seedFile(): Promise<string> {
    const seed = {
      keys: [
        {
          name: "orders",
          keyType: "EC",
          curve: "P-384",
          enabled: false,
          expiresOn: "2030-01-01T00:00:00Z",
          tags: { team: "orders" },
        },
        { name: "tls", keyType: "RSA", keySize: 3072 },
      ],
      secrets: [{ name: "password", contentType: "text/plain" }],
    };
    const path = join(folder, "seed.json");
    await writeFile(path, JSON.stringify(seed));
    return path;
  }
});

describe("a fault on the command line", () => {
  it("has a kind and members", () => {
    expect(parseFault("dropAfter,operation=importKey,times=1,probability=0.5")).toEqual({
      kind: "dropAfter",
      operation: "importKey",
      times: 1,
      probability: 0.5,
    });
  });

  it.each([
    "",
    "nothing",
    "latency,bar=1",
    "latency,milliseconds",
    "latency,milliseconds=",
    "latency,times=1.5",
    "status,status=200",
    "toString",
  ])("is refused as %j", (text) => {
    expect(() => parseFault(text)).toThrow(expect.objectContaining({ code: "KV_USAGE" }));
  });
});
