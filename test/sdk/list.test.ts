import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import {
  type KeyItem,
  listDeletedKeys,
  listDeletedSecrets,
  listKeys,
  listKeyVersions,
  listSecrets,
} from "../../sdk/index.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { FleetServer } from "../key-inventory/fleet-server.js";

const root = resolve(__dirname, "../..");
const COUNT = 120;

describe("list functions", () => {
  let vault: Emulator;
  let options: { credential: Emulator["credential"] };

  beforeAll(async () => {
    vault = await startEmulator();
    options = { credential: vault.credential };
    const call = vaultCaller(vault);
    for (let index = 0; index < COUNT; index++) {
      await call("POST", `/keys/key-${String(index).padStart(3, "0")}/create`, { kty: "EC" });
    }
    vault.vault("emulator").giveToCertificate("keys", "key-007");
    await call("POST", "/keys/key-008/create", { kty: "EC", attributes: { exp: 1_900_000_000 }, tags: { a: "b" } });
    await call("POST", "/keys/deleted/create", { kty: "EC" });
    await call("DELETE", "/keys/deleted");
    await call("PUT", "/secrets/password", { value: "hidden-value", contentType: "text/plain" });
    await call("PUT", "/secrets/former", { value: "hidden-value" });
    await call("DELETE", "/secrets/former");
  });
  afterAll(() => vault?.close());
  beforeEach(() => vault.requests.clear());
  afterEach(() => vi.unstubAllEnvs());

  const operations = (): string[] => askedOperations(vault);

  it("list every key through empty pages, with typed moments and managed, and ask for no key itself", async () => {
    const keys = await all(listKeys(vault.url, options));
    expect(keys.map(({ name }) => name)).toEqual(
      Array.from({ length: COUNT }, (_, index) => `key-${String(index).padStart(3, "0")}`),
    );
    expect(keys.filter(({ managed }) => managed).map(({ name }) => name)).toEqual(["key-007"]);
    expect(keys[8]).toMatchObject({ expiresOn: new Date(1_900_000_000_000), tags: { a: "b" }, enabled: true });
    expect(keys[8]?.createdOn).toBeInstanceOf(Date);
    expect(new Set(operations())).toEqual(new Set(["getKeys"]));
    expect(operations().length).toBeGreaterThan(COUNT / 25);
  });

  it("list versions, deleted keys and secrets, and never a value", async () => {
    expect(await all(listKeyVersions(vault.url, "key-008", options))).toHaveLength(2);
    expect(await all(listKeyVersions(vault.url, "nobody", options))).toEqual([]);
    const [deleted] = await all(listDeletedKeys(vault.url, options));
    expect(deleted).toMatchObject({ name: "deleted", scheduledPurgeDate: expect.any(Date) });
    const secrets = await all(listSecrets(vault.url, options));
    expect(secrets).toMatchObject([{ name: "password", contentType: "text/plain", managed: false }]);
    expect(await all(listDeletedSecrets(vault.url, options))).toMatchObject([{ name: "former" }]);
    expect(JSON.stringify(secrets)).not.toContain("hidden-value");
    expect(operations()).not.toContain("getSecret");
  });

  it("ask nothing before the first item, and no further than is read", async () => {
    const keys = listKeys(vault.url, options);
    expect(vault.requests.count).toBe(0);
    for await (const { name } of keys) if (name === "key-003") break;
    // At most an empty page before the first one with keys.
    expect(operations().length).toBeLessThanOrEqual(2);
    expect(await all(keys)).toHaveLength(COUNT);
  });

  it("end with KV_TIMEOUT when their signal is aborted", async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { name } of listKeys(vault.url, { ...options, signal: controller.signal })) {
        seen.push(name);
        if (seen.length === 30) controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    expect(seen.length).toBeLessThan(COUNT);
    await expect(all(listKeys(vault.url, { ...options, signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: "KV_TIMEOUT",
    });
  });

  it("take vault and credential from the environment, or from the stack's configuration", async () => {
    vi.stubEnv("AZURE_KEYVAULT_URL", vault.url);
    vi.stubEnv("KEYVAULT_CREDENTIAL", "token");
    vi.stubEnv("KEYVAULT_TOKEN", vault.token);
    expect(await all(listKeys())).toHaveLength(COUNT);

    vi.stubEnv("AZURE_KEYVAULT_URL", "https://other.vault.azure.net");
    vi.stubEnv("KEYVAULT_CREDENTIAL", "no such credential");
    pulumi.runtime.setAllConfig({ "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" });
    try {
      expect(await all(listKeys())).toHaveLength(COUNT);
    } finally {
      pulumi.runtime.setAllConfig({});
    }
  });

  it("refuse what names no vault", () => {
    const refused = expect.objectContaining({ code: "KV_INVALID_INPUT" });
    expect(() => listKeys()).toThrow(refused);
    expect(() => listKeys("contoso")).toThrow(refused);
    expect(() => listSecrets("http://contoso.vault.azure.net")).toThrow(refused);
    expect(() => listKeys(pulumi.output(vault.url) as unknown as string)).toThrow(/inside of its apply/);
  });
});

describe("a program without Pulumi", () => {
  const run = promisify(execFile);
  const environment = { PATH: process.env.PATH ?? "", KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: "a-token" };

  it("lists an embedded vault and ends by itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-list-"));
    const program = `
      const { listKeys } = require(${JSON.stringify(root)});
      (async () => { let count = 0; for await (const key of listKeys("embedded:./dev.vault")) count++; console.log(count); })();`;
    const { stdout, stderr } = await run(process.execPath, ["-e", program], {
      cwd: folder,
      env: environment,
      timeout: 20_000,
    });
    expect(stdout.trim()).toBe("0");
    expect(stderr).toContain("there is no embedded vault");
    await rm(folder, { recursive: true });
  });

  it("reads 10,000 keys in flat memory", async () => {
    const fleet = await FleetServer.start();
    fleet.keys = Array.from({ length: 10_000 }, (_, index) => ({ name: `service-${index}` }));
    // The first reading loads and compiles; what the second one adds is what a listing holds on to.
    const program = `
      const { listKeys } = require(${JSON.stringify(root)});
      const read = async (look) => { let count = 0; for await (const key of listKeys(${JSON.stringify(fleet.url)})) if (++count % 1000 === 0) look(); return count; };
      (async () => {
        await read(() => {});
        gc();
        const before = process.memoryUsage().heapUsed;
        let most = 0;
        const count = await read(() => { gc(); most = Math.max(most, process.memoryUsage().heapUsed - before); });
        console.log(JSON.stringify({ count, megabytes: most / 1048576 }));
      })();`;
    const { stdout } = await run(process.execPath, ["--expose-gc", "-e", program], {
      env: environment,
      timeout: 60_000,
    });
    const { count, megabytes } = JSON.parse(stdout) as { count: number; megabytes: number };
    expect(count).toBe(10_000);
    expect(megabytes).toBeLessThan(5);
    await fleet.server.close();
  }, 60_000);
});

async function all<T extends KeyItem | object>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
