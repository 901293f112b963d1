import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { adoptKey } from "../../cli/adopt/adopted-resource.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "./command-line.js";
import { answeredKey, hostileVault, listedKey } from "./hostile-vault.js";
import { type CallVault, vaultCaller } from "./vault-caller.js";

const importFile = z.object({
  resources: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      id: z.string(),
      inputs: z.record(z.string(), z.unknown()),
      outputs: z.record(z.string(), z.unknown()),
    }),
  ),
});

describe("adopt", () => {
  let vault: Emulator;
  let folder: string;
  let call: CallVault;

  const adopt = (...args: string[]) =>
    runCommand(["adopt", "--vault", vault.url, "--credential", "token", ...args], {
      cwd: folder,
      env: { KEYVAULT_TOKEN: vault.token },
    });
  const program = () => readFile(join(folder, "index.ts"), "utf8");
  const entries = async () =>
    importFile.parse(JSON.parse(await readFile(join(folder, "keyvault-import.json"), "utf8"))).resources;
  const names = async () => (await entries()).map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);

  beforeAll(async () => {
    vault = await startEmulator();
    call = vaultCaller(vault);
    await call("POST", "/keys/orders-signing/create", {
      kty: "EC",
      tags: { team: "orders" },
      attributes: { exp: 3_800_000_000 },
    });
    await call("POST", "/keys/billing/create", { kty: "RSA-HSM", key_size: 3072, attributes: { enabled: false } });
    await call("POST", "/keys/rotating/create", { kty: "EC" });
    await call("PUT", "/keys/rotating/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } }],
      attributes: { expiryTime: "P2Y" },
    });
    await call("POST", "/keys/of-certificate/create", { kty: "EC" });
    vault.vault("emulator").giveToCertificate("keys", "of-certificate");
    await call("POST", "/keys/deleted/create", { kty: "EC" });
    await call("DELETE", "/keys/deleted");
    await call("PUT", "/secrets/password", { value: "hunter2-very-secret", contentType: "text/plain" });
  });

  afterAll(() => vault.close());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-adopt-"));
    vault.requests.clear();
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a program and an import file, reads each object once and writes nothing to the vault", async () => {
    const run = await adopt();
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toContain("3 keys and 1 secret to adopt. Left out: 1 of certificates, 1 deleted.");
    expect(run.stdout).toContain("pulumi import --file keyvault-import.json --yes");
    expect(await names()).toEqual(["Key billing", "Key orders-signing", "Key rotating", "Secret password"]);
    const operations = vault.requests.log.map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === "getKeys")).toHaveLength(1);
    expect(operations.filter((operation) => operation === "getKey")).toHaveLength(3);
    expect(vault.requests.log.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("writes each attribute, and the rotation policy in place of the expiry that it sets", async () => {
    await adopt();
    const text = await program();
    expect(text).toContain('tags: { team: "orders" }');
    expect(text).toContain('expiresOn: "2090-06-01T11:33:20Z"');
    expect(text).toContain("enabled: false");
    expect(text).toContain('rotationPolicy: { rotateAfter: "P90D", expireAfter: "P2Y" }');
    expect(text).toContain('contentType: "text/plain"');
    expect(text).toMatch(/Not adopted, as they belong to certificates:\n\/\/ {3}keys\/of-certificate/);
    expect(text).toMatch(
      /Not adopted, as they are deleted; they can be recovered:\n\/\/ {3}keys\/deleted until \d{4}-/,
    );
    expect(text.match(/adopt: true/g)).toHaveLength(4);
    expect(text.match(/onDelete: "retain"/g)).toHaveLength(4);
  });

  it("never reads or writes the value of a secret", async () => {
    await adopt();
    expect(vault.requests.log.map(({ operation }) => operation)).not.toContain("getSecret");
    const written = `${await program()}${JSON.stringify(await entries())}`;
    expect(written).not.toMatch(/hunter2|valueDigest/);
  });

  it.each([
    [["--only", "orders-*"], ["Key orders-signing"]],
    [
      ["--only", "ORDERS-*", "secrets/*"],
      ["Key orders-signing", "Secret password"],
    ],
    [
      ["--only", "keys"],
      ["Key billing", "Key orders-signing", "Key rotating"],
    ],
    [["--ignore", "keys/*"], ["Secret password"]],
    [["--only", "*", "--ignore", "*ing"], ["Secret password"]],
  ])("takes %j", async (args, expected) => {
    await adopt(...args);
    expect(await names()).toEqual(expected);
  });

  it("asks nothing of a collection that is left out", async () => {
    await adopt("--only", "keys/*");
    expect(vault.requests.log.filter(({ operation }) => /secret/i.test(operation))).toEqual([]);
  });

  it("says so where there is nothing to adopt, and writes no file", async () => {
    const run = await adopt("--only", "no-such-*");
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Nothing to adopt") });
    expect(await readdir(folder)).toEqual([]);
  });

  it("never overwrites a program or an import file without --force, and asks the vault nothing before", async () => {
    await writeFile(join(folder, "index.ts"), "// mine");
    const refused = await adopt();
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /^pulumi-keyvault adopt: KV_FILE_EXISTS: index\.ts exists and is not overwritten: .*--force\n$/,
    );
    expect(await readdir(folder)).toEqual(["index.ts"]);
    expect(await program()).toBe("// mine");
    expect(vault.requests.count).toBe(0);

    expect((await adopt("--force")).exitCode).toBe(0);
    expect(await program()).toContain("new keyvault.Key");
    expect((await readdir(folder)).sort()).toEqual(["index.ts", "keyvault-import.json"]);
  });

  it("leaves nothing half-done where a file cannot be written", async () => {
    const run = await adopt("--import-file", "no/such/folder.json");
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KV_FILE: ") });
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells a credential that expires in the middle of the list, and leaves nothing half-done", async () => {
    vault.faults.add({ kind: "expiredToken", operation: "getKey", after: 1 });
    try {
      const run = await adopt();
      expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("adopt: KV_UNAUTHENTICATED: ") });
      expect(run.stderr).not.toMatch(/\n\s+at /);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      vault.faults.clear();
    }
  });

  it.each([
    ["an option that does not exist", ["--bogus"], "KV_USAGE"],
    ["two files that differ in their ending alone", ["--program", "a.ts", "--import-file", "a.json"], "KV_USAGE"],
    ["an address that is none", ["--vault", "nonsense"], "KV_INVALID_INPUT"],
    [
      "a vault without TLS that is not on this machine",
      ["--vault", "http://contoso.vault.azure.net"],
      "KV_INVALID_INPUT",
    ],
    ["a port where nothing listens", ["--vault", "http://127.0.0.1:1"], "KV_TRANSPORT"],
    ["a credential that does not exist", ["--credential", "magic"], "KV_INVALID_INPUT"],
  ])("refuses %s", async (_what, args, code) => {
    const run = await adopt(...args);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(new RegExp(`^pulumi-keyvault adopt: ${code}: .+\n$`));
  });

  it("writes a set with its state for a program of the plugin, and the secrets by their ids", async () => {
    const run = await adopt("--plugin", "--set", "all");
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await readdir(folder)).toEqual(["keyvault-import.json"]);
    const { resources } = JSON.parse(await readFile(join(folder, "keyvault-import.json"), "utf8"));
    const [set, ...others] = resources as { type: string; inputs?: object; outputs?: { names: string[] } }[];
    expect(set).toMatchObject({ type: "keyvault:index:KeySet", name: "all", inputs: { adopt: true } });
    expect(Object.keys(Object(set?.inputs).keys).sort()).toEqual(set?.outputs?.names);
    expect(set?.inputs).not.toHaveProperty("__provider");
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) expect(Object.keys(other)).toEqual(["type", "name", "id"]);
  });

  it("tells a server that is no vault", async () => {
    const server = await serve("<html>hello</html>");
    const run = await adopt("--vault", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KV_PROTOCOL: ") });
  });

  it("names the permission that is missing", async () => {
    const guarded = await startEmulator({
      vaults: [{ name: "guarded", permissions: { principals: { keys: { keys: ["get", "list"] } } } }],
    });
    const as = (principal: string, ...args: string[]) =>
      runCommand(["adopt", "--vault", guarded.url, "--credential", "token", ...args], {
        cwd: folder,
        env: { KEYVAULT_TOKEN: principal },
      });
    try {
      expect((await as("nobody")).stderr).toContain("grant the keys/list permission");
      expect((await as("keys")).stderr).toContain("grant the secrets/list permission");
      expect((await as("keys", "--only", "keys/*")).exitCode).toBe(0);
    } finally {
      await guarded.close();
    }
  });

  it("adopts without rotation policies where they may not be read, and says so", async () => {
    const guarded = await startEmulator({
      vaults: [
        {
          name: "guarded",
          permissions: { principals: { reader: { keys: ["get", "list"] }, "emulator-owner": { keys: ["*"] } } },
        },
      ],
    });
    try {
      await vaultCaller(guarded)("POST", "/keys/a/create", { kty: "EC" });
      const run = await runCommand(["adopt", "--vault", guarded.url, "--credential", "token", "--only", "keys/*"], {
        cwd: folder,
        env: { KEYVAULT_TOKEN: "reader" },
      });
      expect(run.stdout).toContain("the keys/getrotationpolicy permission is missing");
      expect(await names()).toEqual(["Key a"]);
    } finally {
      await guarded.close();
    }
  });

  it("names what cannot be read, adopts the rest, and ends with 8", async () => {
    const hostile = await hostileVault({
      "/keys": {
        body: {
          value: [
            ...["good", "closed", "malformed", "swapped", "scripted", "good"].map((name) => listedKey(name)),
            listedKey("a%0Aprocess.exit()"),
          ],
        },
      },
      "/keys/good": { body: answeredKey("good") },
      "/keys/scripted": { body: answeredKey("scripted", { kty: "*/process.exit();/*" }) },
      "/keys/good/rotationpolicy": { status: 400, body: { error: { code: "BadParameter", message: "x" } } },
      "/keys/closed": {
        status: 403,
        body: {
          error: { code: "Forbidden", message: "\u001b[2J##vso[task.complete]", innererror: { code: "KeyDisabled" } },
        },
      },
      "/keys/malformed": { body: { key: {} } },
      "/keys/swapped": { body: answeredKey("good") },
    });
    try {
      const run = await adopt("--vault", hostile.url);
      expect(run).toMatchObject({ exitCode: 8, stdout: expect.stringContaining("1 key and 0 secrets to adopt.") });
      expect(run.stdout).toContain("Left out: 5 that could not be read.");
      expect(run.stderr).toMatch(/keys\/closed could not be read: KV_FORBIDDEN: /);
      expect(run.stderr).toContain("keys/malformed");
      expect(run.stderr).not.toContain("\u001b");
      expect(run.stderr).not.toContain("##vso[");
      expect(await names()).toEqual(["Key good"]);
      const text = await program();
      expect(text).toContain("//   keys/closed: KV_FORBIDDEN\n");
      expect(text).toContain("//   keys/scripted: KV_PROTOCOL\n");
      expect(text).toContain('//   keys/"a\\nprocess.exit()": KV_PROTOCOL\n');
      expect(text.split("\n").filter((line) => line.includes("process.exit") && !line.startsWith("//"))).toEqual([]);
    } finally {
      await hostile.close();
    }
  });

  it("leaves out the tag that says whose a key is, and says it in the comment", async () => {
    const owned = await hostileVault({
      "/keys": { body: { value: [listedKey("ours")] } },
      "/keys/ours": {
        body: { ...answeredKey("ours"), tags: { team: "a", "pulumi-keyvault": "shop/prod 0123456789abcdef" } },
      },
      "/keys/ours/rotationpolicy": { body: { lifetimeActions: [] } },
    });
    try {
      expect(await adopt("--vault", owned.url)).toMatchObject({ exitCode: 0, stderr: "" });
      const text = await program();
      expect(text).toContain('tags: { team: "a" }');
      expect(text).toContain(', owned by stack "shop/prod" */');
      // State knows whose mark it has left there; the program's tags do not have it.
      const [entry] = await entries();
      expect(JSON.stringify(entry)).toContain('"otherMark":"shop/prod 0123456789abcdef"');
      expect(JSON.stringify({ ...entry, outputs: { ...entry?.outputs, otherMark: "" } })).not.toContain("shop/prod");
      expect(text).not.toContain("pulumi-keyvault:");
    } finally {
      await owned.close();
    }
  });

  it("leaves out a rotation policy that cannot be read, and says so", async () => {
    const odd = await hostileVault({
      "/keys": { body: { value: [listedKey("good")] } },
      "/keys/good": { body: answeredKey("good") },
      "/keys/good/rotationpolicy": { body: { lifetimeActions: "often" } },
    });
    try {
      const run = await adopt("--vault", odd.url);
      expect(run).toMatchObject({ exitCode: 8, stdout: expect.stringContaining("1 key and 0 secrets to adopt.\n") });
      expect(run.stderr).toContain("the rotation policy of keys/good could not be read: KV_PROTOCOL");
      expect(await program()).toContain("//   keys/good: its rotation policy, KV_PROTOCOL");
    } finally {
      await odd.close();
    }
  });

  it("adopts the keys of a Managed HSM", async () => {
    const hsm = await startEmulator({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    try {
      const onHsm = vaultCaller(hsm);
      await onHsm("POST", "/keys/wrapping/create", { kty: "oct-HSM", key_size: 256 });
      await onHsm("POST", "/keys/signing/create", { kty: "EC-HSM", key_ops: ["sign", "deriveKey"] });
      expect((await adopt("--vault", hsm.url)).exitCode).toBe(0);
      const [signing, wrapping] = await entries();
      expect(wrapping?.outputs).toMatchObject({ keyType: "oct-HSM", publicKey: {} });
      expect(signing?.inputs.keyOps).toEqual(["deriveKey", "sign"]);
      expect(await program()).toContain('keyOps: ["deriveKey", "sign"]');
    } finally {
      await hsm.close();
    }
  });

  it("remembers operations that no program can say, and leaves them alone", async () => {
    const { args, outputs } = await adoptKey("https://contoso.vault.azure.net", {
      rotationPolicy: undefined,
      bundle: {
        id: "https://contoso.vault.azure.net/keys/later/0123456789abcdef0123456789abcdef",
        name: "later",
        version: "0123456789abcdef0123456789abcdef",
        enabled: true,
        managed: false,
        tags: { team: "orders" },
        keyType: "oct-HSM",
        keyOps: ["someday"],
        publicKey: { kty: "oct-HSM" },
      },
    });
    expect(args).toEqual({ name: "later", tags: { team: "orders" }, adopt: true, onDelete: "retain" });
    expect(outputs.found).toEqual({ keyOps: ["someday"] });
  });

  it("names constants of odd names, and none twice", async () => {
    const odd = await startEmulator();
    try {
      const inOdd = vaultCaller(odd);
      for (const name of ["---", "1st", "a-b", "aB", "class", "keyvault", "CON", "constructor"]) {
        await inOdd("POST", `/keys/${name}/create`, { kty: "EC" });
      }
      await inOdd("PUT", "/secrets/a--b", { value: "x" });
      expect((await adopt("--vault", odd.url)).exitCode).toBe(0);
      const constants = [...(await program()).matchAll(/^const (\w+) = new/gm)].map((match) => match[1]);
      expect(constants).toEqual([
        "key",
        "key1st",
        "aB",
        "aBKey",
        "classKey",
        "con",
        "constructor",
        "keyvaultKey",
        "aBSecret",
      ]);
    } finally {
      await odd.close();
    }
  });

  it("takes the newer of two versions of a secret that were made in the same second", async () => {
    const busy = await startEmulator();
    try {
      busy.clock.freeze();
      const inBusy = vaultCaller(busy);
      await inBusy("PUT", "/secrets/s", { value: "first" });
      const second = z.looseObject({ id: z.string() }).parse(await inBusy("PUT", "/secrets/s", { value: "second" }));
      await adopt("--vault", busy.url);
      expect((await entries())[0]?.outputs.version).toBe(second.id.split("/").at(-1));
    } finally {
      await busy.close();
    }
  });

  it("adopts 1,000 keys in one pass over the list", { timeout: 60_000 }, async () => {
    const large = await startEmulator();
    try {
      const inLarge = vaultCaller(large);
      for (let batch = 0; batch < 1_000; batch += 50) {
        const batchNames = Array.from({ length: 50 }, (_, index) => `key-${batch + index}`);
        await Promise.all(batchNames.map((name) => inLarge("POST", `/keys/${name}/create`, { kty: "EC" })));
      }
      large.requests.clear();
      const run = await adopt("--vault", large.url, "--only", "keys/*");
      expect(run.stdout).toContain("1000 keys");
      expect(await names()).toHaveLength(1_000);
      const log = large.requests.log.map(({ operation }) => operation);
      expect(log.filter((operation) => operation === "getKey")).toHaveLength(1_000);
      expect(log.filter((operation) => operation === "getKeys").length).toBeLessThan(100);
    } finally {
      await large.close();
    }
  });
});

function serve(body: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(body));
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}
