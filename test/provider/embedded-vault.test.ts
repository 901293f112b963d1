import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listKeys } from "../../sdk/index.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { key, keyBackup, keyInventory, secret } from "./providers.js";

const folder = mkdtempSync(join(tmpdir(), "embedded-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an embedded vault whose file is not there", () => {
  let file: string;
  let vaultUrl: string;
  let told: string;
  let count = 0;

  beforeEach(() => {
    file = join(folder, `vault-${count++}`);
    vaultUrl = `embedded:${file}`;
    told = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      told += text;
      return true;
    });
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const made = async (name: string) => {
    const { inputs } = await key.check({}, { ...identity(name), vaultUrl, name, generate: { keyType: "EC" } });
    return key.create(inputs);
  };
  const toldOnce = () => expect(told.match(/there is no embedded vault at this path/g)).toHaveLength(1);

  it.each([
    [
      "a refresh",
      () => key.read(`${vaultUrl}/keys/k`, { vaultUrl, name: "k", version: "0a", keyType: "EC", publicKey: {} }),
    ],
    ["an inventory", () => keyInventory.create({ vaultUrl })],
    [
      "a listing",
      async () => {
        for await (const item of listKeys(vaultUrl)) expect(item).toBeUndefined();
      },
    ],
    ["a deletion", () => secret.delete(`${vaultUrl}/secrets/s`, { vaultUrl, name: "s" })],
  ])("is not made by %s, which finds nothing there and says so", async (_what, read) => {
    await read();
    await read();
    expect(existsSync(file)).toBe(false);
    toldOnce();
  });

  it.each([
    ["Key.get", () => key.read(`${vaultUrl}/keys/k`, {}), /KV_NOT_FOUND.*is not there to be read/],
    [
      "adopt",
      async () => {
        const { failures } = await key.check({}, { ...identity("k"), vaultUrl, name: "k", adopt: true });
        throw new Error(failures[0]?.reason);
      },
      /KV_NOT_FOUND: there is no key "k" to adopt/,
    ],
    ["a backup", () => keyBackup.create({ vaultUrl, name: "k", version: "0a" }), /KV_NOT_FOUND/],
  ])("is not made by %s, which is refused", async (_what, read, refusal) => {
    await expect(read()).rejects.toThrow(refusal);
    expect(existsSync(file)).toBe(false);
    toldOnce();
  });

  it("is made by the first object, and read then by what had found nothing", async () => {
    const inventory = await keyInventory.create({ vaultUrl });
    expect(inventory.outs).toMatchObject({ count: 0 });
    await made("k");
    nextEngineRun();
    expect(existsSync(file)).toBe(true);
    expect((await keyInventory.create({ vaultUrl })).outs).toMatchObject({ count: 1 });
  });

  it("is made of an empty file", async () => {
    writeFileSync(file, "");
    expect((await keyInventory.create({ vaultUrl })).outs).toMatchObject({ count: 0 });
    await expect(made("k")).resolves.toMatchObject({ id: `${vaultUrl}/keys/k` });
  });
});
