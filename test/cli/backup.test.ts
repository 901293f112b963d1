import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type CommandRun, runCommand } from "./command-line.js";
import { type CallVault, vaultCaller } from "./vault-caller.js";

let emulator: Emulator;
let standby: Emulator;
let elsewhere: Emulator;
let folder: string;
let call: CallVault;

const manifestShape = z.looseObject({
  owner: z.looseObject({ project: z.string(), stack: z.string(), urn: z.string() }),
  keys: z.record(z.string(), z.looseObject({ version: z.string(), file: z.string() })),
  secrets: z.record(z.string(), z.looseObject({ version: z.string() })),
});
const keyShape = z.looseObject({
  key: z.looseObject({ kid: z.string(), x: z.string() }),
  tags: z.record(z.string(), z.string()).optional(),
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-backup-"));
  emulator = await startEmulator();
  standby = await startEmulator();
  elsewhere = await startEmulator({ vaults: [{ name: "elsewhere", geography: "another" }] });
  call = vaultCaller(emulator);
  await call("POST", "/keys/orders/create", { kty: "EC", tags: { team: "orders" } });
  await call("POST", "/keys/billing/create", { kty: "EC" });
  await call("PUT", "/secrets/database", { value: "nobody-is-to-see-this" });
});
afterEach(async () => {
  for (const each of [emulator, standby, elsewhere]) await each.close();
  await rm(folder, { recursive: true, force: true });
});

function run(command: string, { url, token }: Emulator, ...args: string[]): Promise<CommandRun> {
  const env = { AZURE_KEYVAULT_URL: url, KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: token };
  return runCommand([command, ...args], { cwd: folder, env });
}

const backup = (...args: string[]) => run("backup", emulator, "--to", "backups", ...args);
const restore = (...args: string[]) => run("restore", standby, "--from", "backups", ...args);
const inStandby: CallVault = (method, path, body) => vaultCaller(standby)(method, path, body);
const manifest = async () =>
  manifestShape.parse(JSON.parse(await readFile(join(folder, "backups/vault-backup.json"), "utf8")));
const key = async (from: CallVault, name: string) => keyShape.parse(await from("GET", `/keys/${name}`));
const sentTo = ({ requests }: Emulator, operation: string) =>
  requests.log.filter((each) => each.operation === operation).length;
const sent = (operation: string) => sentTo(emulator, operation);

describe("backup", () => {
  it("writes a vault into a folder for its owner alone, and reads no value of a secret", async () => {
    emulator.requests.clear();
    const done = await backup();
    expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    expect(done.stdout).toBe(`backups has the backup of 2 keys and 1 secret of ${emulator.url}\n`);
    expect((await readdir(join(folder, "backups"))).sort()).toEqual([
      "billing.keybackup",
      "database.secretbackup",
      "orders.keybackup",
      "vault-backup.json",
    ]);
    expect((await stat(join(folder, "backups/orders.keybackup"))).mode & 0o077).toBe(0);
    expect(sent("getSecret")).toBe(0);
    expect((await backup("--quiet")).stdout).toBe("");
  });

  it("takes only what has changed, and keeps what the vault no longer has or is not asked for", async () => {
    await backup();
    const before = await manifest();
    await call("DELETE", "/keys/billing");
    await call("POST", "/keys/orders/create", { kty: "EC" });
    emulator.requests.clear();
    expect(await backup("--keys", "orders")).toMatchObject({ exitCode: 0 });
    expect([sent("backupKey"), sent("backupSecret")]).toEqual([1, 0]);
    const after = await manifest();
    expect(after.keys.billing).toEqual(before.keys.billing);
    expect(after.secrets).toEqual(before.secrets);
    expect(after.keys.orders?.version).not.toBe(before.keys.orders?.version);
  });

  it("takes the kind that is named, and leaves out what begins with !", async () => {
    await backup("--keys", "!billing");
    const { keys, secrets } = await manifest();
    expect([Object.keys(keys), Object.keys(secrets)]).toEqual([["orders"], []]);
  });

  it("leaves the folder of a stack to it, and says what to do", async () => {
    await backup();
    const path = join(folder, "backups/vault-backup.json");
    const ofStack = { ...(await manifest()), owner: { project: "shop", stack: "prod", urn: "urn:x" } };
    await writeFile(path, JSON.stringify(ofStack));
    const refused = await backup();
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("KV_ALREADY_EXISTS");
    expect(refused.stderr).toContain("a backup of the stack shop/prod");
    expect(refused.stderr).toContain("give each stack its own folder");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(ofStack);
    // Reading it harms nobody.
    expect(await restore()).toMatchObject({ exitCode: 0 });
  });

  it("refuses a folder that holds the backup of another vault", async () => {
    await backup();
    const refused = await run("backup", standby, "--to", "backups");
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain("give each vault its own folder");
  });

  it("names what fails, and keeps the rest", async () => {
    emulator.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "backupKey", name: "billing" });
    const done = await backup();
    expect(done.exitCode).toBe(8);
    expect(done.stderr).toMatch(/^pulumi-keyvault backup: keys\/billing is not backed up: .*403/);
    expect(done.stderr).not.toContain("keys/orders");
    expect(done.stdout).toContain("has the backup of 1 key and 1 secret");
    const missing = await backup("--keys", "orders", "nothing-of-it");
    expect(missing.exitCode).toBe(8);
    expect(missing.stderr).toContain("keys/nothing-of-it is not backed up: the vault has nothing of that name");
  });

  it("fails for a glob that covers nothing, and for text that is none", async () => {
    const nothing = await backup("--keys", "ordrs-*");
    expect(nothing).toMatchObject({ exitCode: 1, stdout: "" });
    expect(nothing.stderr).toContain("KV_NOT_FOUND");
    expect(nothing.stderr).not.toContain("allowEmpty");
    expect((await backup("--keys", "[")).stderr).toContain("KV_USAGE: --keys takes names and globs");
    expect((await run("backup", emulator)).stderr).toContain("KV_USAGE");
  });
});

describe("restore", () => {
  beforeEach(async () => {
    await backup();
  });

  it("brings a vault back with its versions and tags", async () => {
    const done = await restore();
    expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    expect(done.stdout).toMatch(/^restored 3 of 3 objects of http:.*, as of 20\S+, into http:/);
    const [original, copy] = [await key(call, "orders"), await key(inStandby, "orders")];
    expect(copy.key.x).toBe(original.key.x);
    expect(copy.key.kid.split("/").at(-1)).toBe(original.key.kid.split("/").at(-1));
    expect(copy.tags).toEqual({ team: "orders" });
    expect(await inStandby("GET", "/secrets/database")).toMatchObject({ value: "nobody-is-to-see-this" });
  });

  it("looks and writes nothing with --dry-run", async () => {
    await inStandby("POST", "/keys/orders/create", { kty: "EC" });
    standby.requests.clear();
    const dry = await restore("--dry-run");
    expect(dry.exitCode).toBe(8);
    expect(dry.stdout).toMatch(/^would restore key "billing", version [0-9a-f]{32}$/m);
    expect(dry.stdout).toContain("nothing is restored: would restore 2 of 3 objects");
    expect(dry.stderr).toContain('key "orders" is not restored: KV_ALREADY_EXISTS');
    expect(["restoreKey", "restoreSecret", "getSecret"].map((each) => sentTo(standby, each))).toEqual([0, 0, 0]);
  });

  it("overwrites nothing: what is there, and what is deleted, is refused by name", async () => {
    await inStandby("POST", "/keys/orders/create", { kty: "EC" });
    await inStandby("PUT", "/secrets/database", { value: "another" });
    await inStandby("DELETE", "/secrets/database");
    const there = await key(inStandby, "orders");
    const done = await restore();
    expect(done.exitCode).toBe(8);
    expect(done.stderr).toMatch(/key "orders" is not restored: KV_ALREADY_EXISTS: the vault has it, in version/);
    expect(done.stderr).toMatch(/secret "database" is not restored: KV_DELETED_RECOVERABLE: .*recover it, or purge it/);
    expect(done.stdout).toContain("restored 1 of 3 objects");
    expect(await key(inStandby, "orders")).toEqual(there);
    const again = await restore();
    expect(again.exitCode).toBe(1);
    expect(again.stdout).toContain("restored 0 of 3 objects");
  });

  it("sends a restore once, also where its answer is lost", async () => {
    standby.faults.add({ kind: "dropAfter", operation: "restoreKey", times: 1 });
    expect(await restore("--keys", "orders")).toMatchObject({ exitCode: 0 });
    expect(sentTo(standby, "restoreKey")).toBe(1);
  });

  it("refuses a file that is not the one that was written, and restores the others", async () => {
    const orders = await readFile(join(folder, "backups/orders.keybackup"), "utf8");
    await writeFile(join(folder, "backups/billing.keybackup"), orders);
    const done = await restore("--keys", "*");
    expect(done.exitCode).toBe(8);
    expect(done.stderr).toMatch(/key "billing" is not restored: KV_BACKUP_REJECTED: \S+billing\.keybackup was changed/);
    expect(done.stdout).toContain("restored 1 of 2 objects");
    expect(done.stdout + done.stderr).not.toContain(orders.slice(0, 40));
  });

  it("says where a backup can be restored, where the geography is another", async () => {
    const done = await run("restore", elsewhere, "--from", "backups");
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain("KV_BACKUP_REJECTED");
    expect(done.stderr).toContain("same subscription and geography");
  });

  it("tells a folder without a backup, and names that the backup does not have", async () => {
    const nowhere = await run("restore", standby, "--from", "nowhere");
    expect(nowhere).toMatchObject({ exitCode: 1, stdout: "" });
    expect(nowhere.stderr).toContain("KV_FILE: there is no backup of a vault in nowhere");
    expect((await restore("--keys", "ordrs")).stderr).toContain('KV_NOT_FOUND: nothing was restored: keys "ordrs"');
    await writeFile(join(folder, "backups/vault-backup.json"), "{}");
    expect((await restore()).stderr).toContain("KV_INVALID_INPUT: backups/vault-backup.json cannot be read");
  });

  it("makes an embedded vault, and none to look", async () => {
    const into = ["--vault", "embedded:./new.vault"];
    const dry = await restore(...into, "--dry-run");
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(await readdir(folder)).toEqual(["backups"]);
    expect(await restore(...into)).toMatchObject({ exitCode: 0 });
    expect(await readdir(folder)).toContain("new.vault");
  });
});
