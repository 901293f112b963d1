import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { DOORS, Stack } from "./stack.js";
import { call, keyClient, pemOf, requestCounts, rsaKey, settingsFor } from "./vault-by-hand.js";

describe("backups of objects that the program only names", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    await call(vault, "POST", "/keys/theirs/create", { kty: "EC" });
    await call(vault, "PUT", "/secrets/theirs", { value: "v", attributes: { enabled: false } });
    const program = `
      const key = new keyvault.KeyBackup("key", { vaultUrl: "${vault.url}", name: "theirs" });
      const secret = new keyvault.SecretBackup("secret", { name: "theirs" });
      exports.key = key.blob; exports.version = key.version; exports.source = key.sourceId; exports.file = key.file;
      exports.secret = secret.blob; exports.secretVersion = secret.version;`;
    stack = await Stack.create({ program, ...settingsFor(vault) });
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("are taken with a look and a backup, and a secret's value is not read", async () => {
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toEqual({ getKey: 1, backupKey: 1, getSecretVersions: 1, backupSecret: 1 });
    const outputs = await stack.outputs();
    expect(outputs).toMatchObject({
      version: (await keyClient(vault).getKey("theirs")).properties.version,
      source: `${vault.url}/keys/theirs`,
      secretVersion: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(Buffer.from(String(outputs.key), "base64url").toString("latin1", 1, 23)).toBe("AzureKeyVaultKeyBackup");
  });

  it("are clean on refresh while nothing changed", async () => {
    vault.requests.clear();
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect(requestCounts(vault)).toEqual({ getKey: 1, getSecretVersions: 1 });
  });

  it("are told as stale on refresh after a change outside, and taken again", async () => {
    const before = await stack.outputs();
    vault.clock.advance(2_000);
    await call(vault, "POST", "/keys/theirs/create", { kty: "EC" });
    await call(vault, "PATCH", "/secrets/theirs", { tags: { changed: "outside" } });
    const { run, properties, steps } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties).toEqual({ "KeyBackup key": ["stale"], "SecretBackup secret": ["stale"] });
    expect(JSON.stringify(steps)).toMatch(/version [0-9a-f]{32} is newer/);

    await stack.up("--refresh");
    const after = await stack.outputs();
    expect(after.key).not.toBe(before.key);
    expect(after.secret).not.toBe(before.secret);
    expect(after.version).not.toBe(before.version);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("are told as stale where their blobs became null with the secrets of the state, and taken again", async () => {
    const state = JSON.parse((await stack.pulumi("stack", "export")).stdout);
    for (const { outputs = {} } of state.deployment.resources) if ("blob" in outputs) outputs.blob = null;
    await stack.file("without-secrets.json", JSON.stringify(state));
    await stack.pulumi("stack", "import", "--file", "without-secrets.json");
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties).toEqual({ "KeyBackup key": ["stale"], "SecretBackup secret": ["stale"] });

    // Also by an up that refreshes nothing.
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ key: expect.any(String), secret: expect.any(String) });
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("keep the blob of a key that is gone: it is the last copy", async () => {
    const { key } = await stack.outputs();
    await call(vault, "DELETE", "/keys/theirs");
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.up("--refresh");
    expect((await stack.outputs()).key).toBe(key);
  });
});

describe("a backup of a resource", () => {
  let vault: Emulator;
  let stack: Stack;
  const program = (args: string): string => `
    const key = new keyvault.Key("key", { name: "key", generate: { keyType: "EC" }, ${args} });
    new keyvault.KeyBackup("key", { key });
    new keyvault.VaultBackup("all", { keys: ["*", key] });`;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({ program: program(""), ...settingsFor(vault) });
    await stack.up();
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it.each([
    ["a new version", 'generate: { keyType: "EC", keepers: { a: "b" } }'],
    ["an attribute", "enabled: false"],
    ["the rotation policy", 'enabled: false, rotationPolicy: { rotateAfter: "P90D" }'],
    ["another rotation policy", 'enabled: false, rotationPolicy: { rotateAfter: "P60D" }'],
    ["no rotation policy", "enabled: false"],
  ])("is taken again in the same up as %s", async (_change, args) => {
    await stack.program(program(args));
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toMatchObject({ backupKey: 2 });
    vault.requests.clear();
    expect((await stack.preview("--expect-no-changes")).run.exitCode).toBe(0);
    expect(requestCounts(vault)).toEqual({});
  });

  it("is not taken again for what changes nothing in the key", async () => {
    await stack.program(program('enabled: false, onDelete: "retain"'));
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toEqual({});
  });
});

describe.each(DOORS)("a backup in a folder (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  const program = (folder: string, extra = ""): string => `
    const signing = new keyvault.Key("signing", { name: "signing", import: { file: "signing.pem" } });
    const backup = new keyvault.KeyBackup("signing", { key: signing, to: { folder: "${folder}" } });
    exports.file = backup.file; exports.digest = backup.digest; exports.blob = backup.blob; ${extra}`;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({ door, program: program("backups/keys"), ...settingsFor(vault) });
    await stack.file("signing.pem", pemOf(rsaKey()));
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("is a file for its owner only, and nothing of it is in state", async () => {
    await stack.up();
    const outputs = await stack.outputs();
    expect(outputs).toMatchObject({ file: "backups/keys/signing.keybackup" });
    // Other languages have no undefined: there an output that is not there is empty.
    expect(outputs.blob).toBe(door === "plugin" ? "" : null);
    const path = join(stack.folder, "backups/keys/signing.keybackup");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(stack.folder, "backups"))).mode & 0o777).toBe(0o700);
    const blob = await readFile(path, "utf8");
    expect(JSON.stringify(await stack.resources())).not.toContain(blob.slice(100, 140));
  });

  it("is told as stale where the file was changed, and taken again", async () => {
    await writeFile(join(stack.folder, "backups/keys/signing.keybackup"), "no longer a backup");
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties).toEqual({ "KeyBackup signing": ["stale"] });
    await stack.up("--refresh");
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("is refused where two backups would write one file", async () => {
    const second = 'new keyvault.KeyBackup("again", { name: "Signing", to: { folder: "./backups/keys" } });';
    await stack.program(program("backups/keys", second));
    const run = await stack.pulumi("preview");
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toContain("another backup of this program already writes backups/keys/");
  });

  it("says which folder cannot be written, at once, and leaves the earlier backup in place", async () => {
    await stack.file("occupied", "a file");
    await call(vault, "PUT", "/secrets/db", { value: "v" });
    const places = ["/proc/x", "occupied/x"];
    const refused = places.flatMap((place, index) =>
      Object.entries(BACKUPS).map(([kind, args]) => {
        const to = `to: { folder: "${place}/${kind}" }`;
        return `new keyvault.${kind}("${kind}-${index}", { ${args}, ${to} }, { dependsOn: [signing] });`;
      }),
    );
    // What can be written is, in the same run.
    await stack.program(
      `${program("occupied", refused.join("\n"))}\n${inFolder("SecretBackup")}\n${inFolder("VaultBackup")}`,
    );
    const run = await stack.tryUp("--continue-on-error");
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toContain("the backup cannot be written to occupied/signing.keybackup");
    for (const [index, reason] of ["ENOENT", "ENOTDIR"].entries()) {
      for (const kind of Object.keys(BACKUPS)) {
        const told = new RegExp(`\\(${kind}-${index}\\):\\n +error: .*cannot be written to .*\\(${reason}\\)`);
        expect(run.text).toMatch(told);
      }
    }
    expect((await stack.resource("signing", "KeyBackup")).outputs?.file).toBe("backups/keys/signing.keybackup");
    expect(await readdir(join(stack.folder, "backups"))).toEqual(["SecretBackup", "VaultBackup", "keys"]);
  });

  it("is refused to another stack of the project, whatever kind of backup it is", async () => {
    const again = 'new keyvault.KeyBackup("signing", { name: "signing", to: { folder: "backups/keys" } });';
    await stack.program(`${again}\n${inFolder("SecretBackup")}\n${inFolder("VaultBackup")}`);
    await stack.pulumi("stack", "init", "prod");
    for (const [key, value] of Object.entries(settingsFor(vault).config)) {
      await stack.pulumi("config", "set", key, value, "--stack", "prod");
    }
    const before = await filesIn(join(stack.folder, "backups"));
    const run = await stack.pulumi("up", "--yes", "--skip-preview", "--continue-on-error", "--stack", "prod");
    expect(run.exitCode).not.toBe(0);
    for (const file of ["signing.keybackup", "db.secretbackup", "vault-backup.json"]) {
      expect(run.text).toMatch(
        new RegExp(`error: KV_ALREADY_EXISTS: .*${file} was not written: it is a backup of the stack \\S+/dev,`),
      );
    }
    expect(await filesIn(join(stack.folder, "backups"))).toEqual(before);
  });
});

/** A backup of each kind, of what somebody else manages. */
const BACKUPS: Record<string, string> = {
  KeyBackup: 'name: "signing"',
  SecretBackup: 'name: "db"',
  VaultBackup: 'keys: "*", secrets: "*"',
};
const inFolder = (kind: string): string =>
  `new keyvault.${kind}("${kind}", { ${BACKUPS[kind]}, to: { folder: "backups/${kind}" } });`;

async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "a folder")));
  return Object.fromEntries(names.map((name, index) => [name, files[index] ?? ""]));
}
