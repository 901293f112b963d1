import type { KeyObject } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Stack } from "./stack.js";
import { call, ecKey, requestCounts, rsaKey, secretClient, settingsFor, signsLike } from "./vault-by-hand.js";

/** Ten lines: a whole vault into an empty one. */
const RESTORE = (backup: string): string => `
    (async () => {
      const source = new pulumi.StackReference("organization/test/dev");
      const { secretValue: backup } = await source.getOutputDetails("${backup}");
      for (const [name, restore] of Object.entries(backup.keys)) new keyvault.Key(name, { restore });
      for (const [name, restore] of Object.entries(backup.secrets)) new keyvault.Secret(name, { restore });
    })();`;

describe.each([
  { where: "in state", to: "" },
  { where: "in a folder", to: 'to: { folder: "backups" }' },
])("a whole vault restored into an empty one from a backup $where", ({ to }) => {
  let source: Emulator;
  let target: Emulator;
  let stack: Stack;
  const local = new Map<string, KeyObject>();

  beforeAll(async () => {
    source = await startEmulator();
    target = await startEmulator();
    local.set("constructor", rsaKey());
    for (const curve of ["prime256v1", "secp384r1", "secp521r1"]) local.set(curve, ecKey(curve));
    for (const [name, key] of local) {
      await call(source, "PUT", `/keys/${name}`, { key: key.export({ format: "jwk" }) });
    }
    await call(source, "PUT", "/secrets/orders", { value: "of the same name as a key" });
    await call(source, "PUT", "/secrets/off", { value: "disabled", attributes: { enabled: false } });
    const program = `
      const all = new keyvault.VaultBackup("all", { keys: "*", secrets: "*", ${to} });
      exports.backup = all.restorable;
      exports.file = all.key("ORDERS").file;`;
    stack = await Stack.create({ program, ...settingsFor(source) });
    await stack.up();
    await stack.pulumi("stack", "init", "eu");
    await stack.pulumi("config", "set", "--stack", "eu", "keyvault:vaultUrl", target.url);
    await stack.pulumi("config", "set", "--stack", "eu", "keyvault:credential", "token");
  });

  afterAll(async () => {
    await stack?.remove();
    await Promise.all([source?.close(), target?.close()]);
  });

  it("holds every key, which signs as before, and every secret", async () => {
    await stack.program(RESTORE("backup"));
    await stack.up("--stack", "eu");
    for (const [name, key] of local) expect(await signsLike(target, name, key)).toBe(true);
    expect((await secretClient(target).getSecret("orders")).value).toBe("of the same name as a key");
    await expect(secretClient(target).getSecret("off")).rejects.toMatchObject({ code: "Forbidden" });
    const again = await stack.pulumi("preview", "--stack", "eu", "--refresh", "--expect-no-changes");
    expect(again.exitCode).toBe(0);
  });
});

describe("a backup of a vault in a folder", () => {
  let vault: Emulator;
  let other: Emulator;
  let stack: Stack;
  const program = (to: string, extra = ""): string => `
    const all = new keyvault.VaultBackup("all", { keys: "*", secrets: "*", ${to} });
    exports.blobs = all.blobs; exports.covered = all.covered; ${extra}`;
  const inFolder = 'to: { folder: "backups" }';

  beforeAll(async () => {
    vault = await startEmulator();
    other = await startEmulator();
    await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
    await call(vault, "POST", "/keys/tokens/create", { kty: "EC" });
    await call(vault, "PUT", "/secrets/orders", { value: "v" });
    stack = await Stack.create({ program: program(inFolder), ...settingsFor(vault) });
  });

  afterAll(async () => {
    await stack?.remove();
    await Promise.all([vault?.close(), other?.close()]);
  });

  const blob = (name: string): Promise<string> => readFile(join(stack.folder, "backups", name), "utf8");

  it("is a file for each object and a manifest, for the owner only, and no blob is in state", async () => {
    await stack.up();
    const names = await readdir(join(stack.folder, "backups"));
    expect(names.sort()).toEqual(["orders.keybackup", "orders.secretbackup", "tokens.keybackup", "vault-backup.json"]);
    for (const name of names) expect((await stat(join(stack.folder, "backups", name))).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(await stack.resources())).not.toContain((await blob("orders.keybackup")).slice(100, 140));
    const manifest = JSON.parse(await blob("vault-backup.json"));
    const { covered } = (await stack.outputs()) as { covered: { keys: Record<string, string> } };
    expect(manifest).toMatchObject({
      vaultUrl: vault.url,
      keys: { orders: { file: "orders.keybackup", version: covered.keys.orders } },
    });
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("is told as stale where a file was changed or is missing, and only those are taken again", async () => {
    await writeFile(join(stack.folder, "backups/orders.keybackup"), "changed");
    await rm(join(stack.folder, "backups/orders.secretbackup"));
    const { run, steps } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(JSON.stringify(steps)).toMatch(/orders\.keybackup was changed.*orders\.secretbackup cannot be read/);
    vault.requests.clear();
    await stack.up("--refresh");
    expect(requestCounts(vault)).toMatchObject({ backupKey: 1, backupSecret: 1 });
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("keeps the file of a key that the vault no longer has, also when the manifest is lost", async () => {
    await call(vault, "DELETE", "/keys/tokens");
    const tokens = await blob("tokens.keybackup");
    await rm(join(stack.folder, "backups/vault-backup.json"));
    await stack.up("--refresh");
    expect(await blob("tokens.keybackup")).toBe(tokens);
    expect(JSON.parse(await blob("vault-backup.json")).keys).toHaveProperty("tokens");
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("moves between folder and state without taking anything again", async () => {
    vault.requests.clear();
    await stack.program(program(""));
    await stack.up();
    const { blobs } = (await stack.outputs()) as { blobs: { keys: Record<string, string> } };
    expect(blobs.keys.tokens).toBe(await blob("tokens.keybackup"));
    await stack.program(program('to: { folder: "elsewhere" }'));
    await stack.up();
    expect(await readFile(join(stack.folder, "elsewhere/tokens.keybackup"), "utf8")).toBe(blobs.keys.tokens);
    expect(requestCounts(vault)).not.toHaveProperty("backupKey");
  });

  it("is refused in the folder of another vault's backup, and of another resource", async () => {
    const second = `new keyvault.VaultBackup("other", { vaultUrl: "${other.url}", keys: "*", to: { folder: "backups" } });`;
    await stack.program(program('to: { folder: "elsewhere" }', second));
    expect((await stack.tryUp()).text).toMatch(
      /the folder holds the backup of http\S+: give each vault its own folder/i,
    );
    await stack.program(program(inFolder, second));
    expect((await stack.pulumi("preview")).text).toContain("another backup of this program already writes backups/");
  });

  it("restores a named key, and tells in the preview of a name that it does not hold", async () => {
    const restoring = (name: string) =>
      program(
        'to: { folder: "elsewhere" }',
        `new keyvault.Key("copy", { vaultUrl: "${other.url}", restore: all.key("${name}") });`,
      );
    await stack.program(restoring("nobody"));
    expect((await stack.pulumi("preview")).text).toContain('the backup to restore from holds no key "nobody"');
    await stack.program(restoring("Orders"));
    await stack.up();
    expect((await stack.preview("--expect-no-changes")).run.exitCode).toBe(0);
  });

  it("stays on disk when the resource goes", async () => {
    await stack.destroy();
    expect(await readdir(join(stack.folder, "elsewhere"))).toContain("tokens.keybackup");
  });
});
