import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { writeBackupFile } from "../../provider/backup/backup-file.js";
import { SHELL } from "../../provider/backup/backup-owner.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";

const root = mkdtempSync(join(tmpdir(), "backup-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let vault: Emulator;
let folder: string;
let told: string;
let folders = 0;

beforeEach(async () => {
  vault = await startEmulator();
  folder = join(root, `${folders++}`);
  for (const name of ["orders", "other"]) await call(vault, "POST", `/keys/${name}/create`, { kty: "EC" });
  await call(vault, "PUT", "/secrets/db", { value: "v" });
  told = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    told += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

/** The resources of one run of one stack, as a provider process of its own has them. */
async function runOf(stack: string) {
  vi.resetModules();
  const { keyBackup, secretBackup, vaultBackup } = await import("./providers.js");
  const identity = (type: string, name: string) => ({
    vaultUrl: vault.url,
    claimant: `${stack} ${type} ${name}`,
    owner: { project: "shop", stack, urn: `urn:pulumi:${stack}::shop::keyvault:${type}::${name}` },
    to: { folder },
  });
  return {
    one: (name = "one", args: Arguments = {}) =>
      new DrivenResource(keyBackup, vault, { ...identity("KeyBackup", name), name: "orders", ...args }),
    secret: (name = "secret", args: Arguments = {}) =>
      new DrivenResource(secretBackup, vault, { ...identity("SecretBackup", name), name: "db", ...args }),
    all: (name = "all", args: Arguments = {}) =>
      new DrivenResource(vaultBackup, vault, { ...identity("VaultBackup", name), keys: "*", ...args }),
  };
}

const manifest = async (): Promise<Arguments> => JSON.parse(await readFile(join(folder, "vault-backup.json"), "utf8"));

describe("a folder of backups", () => {
  it("names its owner, which state does not", async () => {
    const run = await runOf("dev");
    const { outs, inputs } = await run.all().created({});
    const owner = { project: "shop", stack: "dev", urn: expect.stringContaining("VaultBackup::all") };
    expect(await manifest()).toMatchObject({ owner });
    const single = await run.one("one", { to: { folder: join(folder, "one") } }).created({});
    const record = readFileSync(join(folder, "one/orders.keybackup.owner.json"), "utf8");
    expect(JSON.parse(record)).toEqual({ owner: { ...owner, urn: expect.stringContaining("KeyBackup::one") } });
    expect((await stat(join(folder, "one/orders.keybackup.owner.json"))).mode & 0o777).toBe(0o600);
    expect(JSON.stringify([outs, inputs, single])).not.toMatch(/owner|claimant|urn:pulumi/);
  });

  it("that the shell's command writes is left to it, with a remedy", async () => {
    const before = await (await runOf("dev")).all().created({});
    expect(before.id).toBeDefined();
    const path = join(folder, "vault-backup.json");
    const text = JSON.stringify({ ...(await manifest()), owner: SHELL });
    await writeFile(path, text);
    await expect((await runOf("prod")).all().created({})).rejects.toThrow(
      /KV_ALREADY_EXISTS: .*`pulumi-keyvault backup` makes.*a folder of its own/,
    );
    expect(await readFile(path, "utf8")).toBe(text);
  });

  it.each(["one", "secret", "all"] as const)(
    "of another stack is refused to %s, with a remedy, and left as it is",
    async (kind) => {
      await (await runOf("dev"))[kind]().created({});
      const before = await contentOf(folder);
      vault.requests.clear();
      const theirs = (await runOf("prod"))[kind]();
      await expect(theirs.created({})).rejects.toThrow(
        /KV_ALREADY_EXISTS: .* was not written: it is a backup of the stack shop\/dev, .* give each stack its own folder\. If that stack is gone .*delete .*\.json/,
      );
      expect(await contentOf(folder)).toEqual(before);
      expect(theirs.operations().filter((operation) => operation.startsWith("backup"))).toEqual([]);
    },
  );

  it("of another stack is refused across kinds, for the files that both write", async () => {
    await (await runOf("dev")).all().created({});
    await expect((await runOf("prod")).one().created({})).rejects.toThrow(
      /stack shop\/dev.*delete .*vault-backup\.json/,
    );
    await call(vault, "POST", "/keys/new/create", { kty: "EC" });
    await (await runOf("prod")).one("new", { name: "new" }).created({});
    rmSync(join(folder, "vault-backup.json"));
    const failure = await (await runOf("dev"))
      .all()
      .created({})
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/1 failed.*key "new": .*stack shop\/prod/s) });
  });

  it.each(["one", "secret", "all"] as const)("of version 0.1, without an owner, is taken over by %s", async (kind) => {
    const state = await (await runOf("dev"))[kind]("x", { owner: undefined }).created({});
    expect(await contentOf(folder)).not.toMatch(/"owner"/);
    const resource = (await runOf("dev"))[kind]("x");
    expect(await resource.drift(state)).toEqual({});
    expect(await resource.drift(await resource.updated(state, {}))).toEqual({});
    expect(await contentOf(folder)).toMatch(/"owner"/);
    await expect((await runOf("prod"))[kind]().created({})).rejects.toThrow("KV_ALREADY_EXISTS");
  });

  it("is shared by stacks for years, and the one that comes second is told", async () => {
    const dev = await (await runOf("dev")).all("x", { owner: undefined }).created({});
    const prod = await (await runOf("prod")).all("x", { owner: undefined }).created({});
    const first = (await runOf("dev")).all("x");
    expect(Object.keys(await first.drift(dev))).toEqual(["stale"]);
    await first.updated(dev, {});
    const second = (await runOf("prod")).all("x");
    expect(Object.keys(await second.drift(prod))).toEqual(["stale"]);
    await expect(second.updated(prod, {})).rejects.toThrow("KV_ALREADY_EXISTS");
  });

  it.each(["one", "secret", "all"] as const)("stays that of %s when the stack gets another name", async (kind) => {
    const state = await (await runOf("dev"))[kind]().created({});
    const renamed = (await runOf("production"))[kind]();
    const later = await renamed.updated(state, {});
    expect(await renamed.drift(later)).toEqual({});
    expect(await contentOf(folder)).toMatch(/"stack": "production"/);
  });

  it.each(["one", "secret", "all"] as const)("stays that of %s when the resource gets another name", async (kind) => {
    await (await runOf("dev"))[kind]("before").created({});
    await (await runOf("dev"))[kind]("after").created({});
    expect(await contentOf(folder)).toMatch(/::after/);
  });

  it("is one place for two resources of a program, however it is spelled", async () => {
    await mkdir(folder);
    await symlink(folder, `${folder}-link`);
    const run = await runOf("dev");
    await run.one().checked({});
    const twice = /another backup of this program already writes .*orders\.keybackup \(KeyBackup "one"\)/;
    for (const spelled of [`${folder}-link`, `${folder}/./x/..`, `${folder}/`]) {
      expect(await run.one("two").refused({ to: { folder: spelled } })).toMatch(twice);
    }
    expect(await run.one("two").refused({ name: "ORDERS" })).toMatch(/another backup of this program/);
  });

  it.each(["one", "secret", "all"] as const)("is unchanged with an owner of any name, of %s", async (kind) => {
    const name = "größe ⚿ \u202e";
    const resource = (await runOf("dev"))[kind](name);
    const state = await resource.created({});
    expect(await resource.drift(state)).toEqual({});
    const later = await (await runOf("dev"))[kind](name).updated(state, {});
    expect(await resource.drift(later)).toEqual({});
  });

  it("holds the files of many backups whose names a preview does not know yet", async () => {
    const run = await runOf("dev");
    for (const name of ["one", "two"]) {
      expect(await run.one(name).checked({ name: UNKNOWN })).toMatchObject({ name: UNKNOWN, to: { folder } });
    }
  });

  it("is no place for a VaultBackup's file that a KeyBackup of the program writes, in either order", async () => {
    const run = await runOf("dev");
    await run.one().checked({});
    const failure = await run
      .all()
      .created({})
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        /1 failed.*key "orders": .*another backup of this program writes it \(KeyBackup "one"\)/s,
      ),
    });
    expect(existsSync(join(folder, "other.keybackup"))).toBe(true);
    expect(await run.one("two", { name: "other" }).refused({})).toMatch(
      /another backup of this program .* \(VaultBackup "all"\)/,
    );
  });

  it("with a record that is no file is told, and not waited for", async () => {
    await mkdir(join(folder, "orders.keybackup.owner.json"), { recursive: true });
    await expect((await runOf("dev")).one().created({})).rejects.toThrow(/owner\.json cannot be read \(not a file\)/);
  });

  it.each(["", "{", "[]", '{"owner":{"project":5}}', '{"owner":null}'])(
    "with the record %j has no owner",
    async (record) => {
      await mkdir(folder);
      await writeFile(join(folder, "orders.keybackup.owner.json"), record);
      await writeFile(join(folder, "vault-backup.json"), record);
      const run = await runOf("dev");
      await run.one().created({});
      expect(await contentOf(folder)).toMatch(/KeyBackup::one/);
    },
  );

  it("shows no more of a record that anybody may have written than a name can hold", async () => {
    await mkdir(folder);
    const owner = { project: "a\u001b[31m\nb", stack: "x".repeat(5_000), urn: "urn" };
    await writeFile(join(folder, "orders.keybackup.owner.json"), JSON.stringify({ owner }));
    const failure = await (await runOf("dev"))
      .one()
      .created({})
      .catch((error: Error) => error.message);
    expect(failure).toMatch(/the stack a\?\?31m\?b\/x{100}, and/);
  });

  it("is whole after a run that was killed between the files and the manifest", async () => {
    const state = await (await runOf("dev")).all().created({});
    const { value } = (await call(vault, "POST", "/keys/orders/backup")) as { value: string };
    await writeFile(join(folder, "orders.keybackup"), value);
    await writeFile(join(folder, "other.keybackup.0123456789ab.partial"), "half");
    const run = (await runOf("dev")).all();
    expect(Object.keys(await run.drift(state))).toEqual(["stale"]);
    expect(await run.drift(await run.updated(state, {}))).toEqual({});
    expect(run.operations().filter((operation) => operation === "backupKey")).toHaveLength(1);
  });
});

describe("a folder that cannot be written", () => {
  it.each([
    ["in /proc, which denies it for ever", () => "/proc/x/y", /cannot be written to .*\(ENOENT\)/],
    ["below a file", () => join(root, "file/x/y"), /cannot be written to .*\(ENOTDIR\)/],
    ["that is a file", () => join(root, "file"), /cannot be written to .*\((EEXIST|ENOTDIR)\)/],
  ])("%s is a failure at once", async (_where, place, reason) => {
    await writeFile(join(root, "file"), "");
    for (const kind of ["one", "secret", "all"] as const) {
      const run = await runOf("dev");
      await expect(run[kind]("x", { to: { folder: place() } }).created({})).rejects.toThrow(reason);
    }
  });

  it.each(["one", "secret", "all"] as const)(
    "since its disk is read-only is a failure at once of %s, whether it is there or not, and after a backup",
    async (kind) => {
      const state = await (await runOf("dev"))[kind]().created({});
      await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
      await call(vault, "PUT", "/secrets/db", { value: "w" });
      const files = await contentOf(folder);
      vi.doMock("node:fs/promises", async (original) => {
        const readOnly = async (path: unknown) => {
          throw Object.assign(new Error(`EROFS: read-only file system, '${path}'`), { code: "EROFS" });
        };
        const written = Object.fromEntries(["mkdir", "writeFile", "rename", "rm"].map((call) => [call, readOnly]));
        return { ...(await original<object>()), ...written };
      });
      try {
        const refusal = /^KV_INVALID_INPUT: .*cannot be written to .*\(EROFS\).*its folder can be made and written/s;
        for (const place of [folder, join(folder, "x/y")]) {
          const resource = (await runOf("dev"))[kind]("new", { to: { folder: place } });
          await expect(resource.created({})).rejects.toThrow(refusal);
        }
        const run = (await runOf("dev"))[kind]();
        await expect(run.updated(state, { to: { folder } })).rejects.toThrow(refusal);
      } finally {
        vi.doUnmock("node:fs/promises");
      }
      expect(await contentOf(folder)).toBe(files);
    },
  );

  it("is made with its parents, for the owner only", async () => {
    await writeBackupFile(join(folder, "x/y/z"), "a", "text");
    expect((await stat(join(folder, "x/y"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "x/y/z"))).toEqual(["a"]);
  });

  it("is made by many writers at once", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `${i}`.padStart(2, "0"));
    for (let round = 0; round < 30; round++) {
      const deep = join(folder, `${round}/x/y/z`);
      await Promise.all(names.map((name) => writeBackupFile(deep, name, "text")));
      expect(await readdir(deep)).toEqual(names);
    }
  });

  it("is not tried for each of many keys", async () => {
    for (let i = 0; i < 200; i++) await call(vault, "POST", `/keys/key-${i}/create`, { kty: "EC" });
    vault.requests.clear();
    const run = (await runOf("dev")).all("x", { to: { folder: "/proc/x" } });
    await expect(run.created({})).rejects.toThrow(/cannot be written/);
    expect(run.operations().filter((operation) => operation === "backupKey").length).toBeLessThan(100);
  });

  it("is no folder that begins with ~, which only a shell reads", async () => {
    expect(await (await runOf("dev")).one().refused({ to: { folder: "~/backups" } })).toMatch(/a shell reads ~/);
  });

  it.each([
    [
      "a key",
      `-----BEGIN PRIVATE KEY-----\nMIIE${"a".repeat(1_600)}\n-----END PRIVATE KEY-----`,
      "text of 1,658 characters that looks like PEM",
    ],
    [
      "a key on one line",
      `-----BEGIN PRIVATE KEY-----MIGH${"a".repeat(80)}-----END PRIVATE KEY-----`,
      "text of 136 characters that looks like PEM",
    ],
    ["a JWK", `{"kty":"EC","d":"${"a".repeat(43)}"}`, "text of 62 characters that looks like JSON"],
    ["a blob", `${"aB3-".repeat(60)}`, "text of 240 characters that looks like base64"],
    ["escape sequences", "backups\u001b[2J", "text of 11 characters"],
  ])("is no folder that is %s, which is not shown", async (_what, place, described) => {
    const told = await (await runOf("dev")).one().refused({ to: { folder: place } });
    expect(told).toContain(`to: the folder is no path (${described})`);
    expect(told).not.toContain(place.slice(-20));
  });

  it("that was moved is told as stale, and written anew", async () => {
    const state = await (await runOf("dev")).one().created({});
    await rename(folder, `${folder}-moved`);
    const run = (await runOf("dev")).one();
    expect(await run.drift(state)).toEqual({ stale: expect.stringMatching(/cannot be read \(ENOENT\)/) });
    expect(await run.drift(await run.updated(state, {}))).toEqual({});
    expect(told).toContain("is stale");
  });
});

async function contentOf(place: string): Promise<string> {
  const names = (await readdir(place)).sort();
  return (await Promise.all(names.map(async (name) => `${name}\n${await readFile(join(place, name), "utf8")}`))).join(
    "\n",
  );
}
