import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { type OtherServer, startServerWith } from "../provider/other-server.js";
import { ALL_HABITS } from "../provider/server-habits.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { Stack } from "./stack.js";
import { call, keyClient, secretClient } from "./vault-by-hand.js";
import { snapshot } from "./vault-snapshot.js";

const TEAM = "team-a";
const KEYS_OF_SET = ["set-imported", "set-made", "set-off"];
const KEYS = ["disabled", "generated", "imported", "named", "p256k", "plain", "rotating", ...KEYS_OF_SET];

/** What a set of keys declares, beside what `changes` says of some of them. */
const keysOfSet = (changes: Record<string, string | undefined> = {}): string => {
  const rows: Record<string, string | undefined> = {
    "set-imported": 'import: { file: "set.pem" }',
    "set-made": 'generate: { keyType: "EC" }',
    "set-off": 'generate: { keyType: "RSA" }, enabled: false',
    ...changes,
  };
  const entries = Object.entries(rows).flatMap(([name, row]) => (row === undefined ? [] : [`"${name}": { ${row} }`]));
  return `const set = new keyvault.KeySet("set", { keys: { ${entries} }, removed: "delete", onDelete: "delete" });`;
};

/** Each row is a resource of one program, whose arguments `changes` replaces; one that is left out is undefined. */
const program = (changes: Record<string, string | undefined> = {}, rest = "", set = keysOfSet()): string => {
  const timeouts = 'timeouts: { read: "1s" }';
  const rows: Record<string, string | undefined> = {
    plain: `Key { import: { file: "plain.pem" } }`,
    imported: `Key { import: { file: "imported.pem" }, keyOps: ["sign", "verify"], tags: { team: "${TEAM}" } }`,
    p256k: `Key { import: { file: "p256k.pem" } }`,
    generated: `Key { generate: { keyType: "RSA" }, expiresOn: "2090-01-01T00:00:00Z" }`,
    rotating: `Key { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" }, ${timeouts} }`,
    disabled: `Key { import: { file: "disabled.pem" }, enabled: false }`,
    named: `Key { generate: { keyType: "EC", curve: "P-384" } }`,
    db: `Secret { value: "a value", contentType: "text/plain", tags: { team: "${TEAM}" } }`,
    off: `Secret { value: "off", enabled: false }`,
    ...changes,
  };
  const made = Object.entries(rows).flatMap(([name, row]) =>
    row === undefined
      ? []
      : [
          row.replace(
            /^(\w+) \{/,
            (_all, type) => `made.${name} = new keyvault.${type}("${name}", { name: "${name}", `,
          ),
        ].map((text) => `${text});`),
  );
  return `const made = {};\n${made.join("\n")}\n${set}\n${rest}`;
};
const backups = `
  const key = new keyvault.KeyBackup("imported", { key: made.imported });
  const secret = new keyvault.SecretBackup("db", { secret: made.db });
  const [keys, secrets] = [keyvault.Key, keyvault.Secret].map((type) => Object.values(made).filter((one) => one instanceof type));
  const all = new keyvault.VaultBackup("all", { keys: [...keys, set], secrets });
  const inventory = new keyvault.KeyInventory("vault", { expect: [...keys, set] });
  exports.blobs = pulumi.secret([key.blob, secret.blob]);
  exports.covered = all.covered;
  exports.unmanaged = inventory.unmanaged;
  const versionsOfSet = set.versionIds.apply((ids) =>
    Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, id.split("/").at(-1)])));
  const versions = pulumi.all(Object.fromEntries(Object.entries(made).map(([name, { version }]) => [name, version])));
  exports.versions = pulumi.all([versions, versionsOfSet]).apply(([own, ofSet]) => ({ ...own, ...ofSet }));`;

const backupsOfKeys = backups.replace(/^.*SecretBackup.*$/m, "").replace("[key.blob, secret.blob]", "[key.blob]");

describe("a server with all habits of others at once, on the real engine", () => {
  let vault: Emulator;
  let server: OtherServer;
  let stack: Stack;
  let versions: Record<string, string>;

  beforeAll(async () => {
    vault = await startEmulator();
    server = await startServerWith(vault, ALL_HABITS);
    stack = await Stack.create({
      program: program({}, backups),
      config: { "keyvault:vaultUrl": server.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token, KEYVAULT_CREDENTIAL: "token" },
    });
    await stack.file("plain.pem", ecKey("secp521r1").pkcs8);
    await stack.file("imported.pem", ecKey().pkcs8);
    await stack.file("p256k.pem", ecKey("secp256k1").pkcs8);
    await stack.file("disabled.pem", rsaKey().pkcs8);
    await stack.file("set.pem", ecKey().pkcs8);
  });
  afterAll(async () => {
    await stack?.remove();
    server?.close();
    await vault?.close();
  });

  const isClean = async () => {
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode, run.text).toBe(0);
  };
  /** Every object is there once, in the version that the stack knows. */
  const isWhole = async () => {
    const { held } = await snapshot(vault);
    expect(Object.fromEntries([...held].map(([name, object]) => [name, object.versions]))).toEqual(
      Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, [version]])),
    );
  };

  it("holds what the program declares, once, and is clean then", async () => {
    await stack.up();
    const outputs = (await stack.outputs()) as {
      covered: { keys: object };
      unmanaged: string[];
      versions: typeof versions;
    };
    versions = outputs.versions;
    expect(Object.keys(outputs.covered.keys)).toEqual(KEYS);
    expect(outputs.unmanaged).toEqual([]);
    await isWhole();
    await isClean();
  });

  it("takes changes in place, and enables what was disabled", async () => {
    const changes = {
      plain: `Key { import: { file: "plain.pem" }, tags: { a: "1" } }`,
      disabled: `Key { import: { file: "disabled.pem" } }`,
      generated: `Key { generate: { keyType: "RSA" }, expiresOn: "2091-01-01T00:00:00Z" }`,
      off: `Secret { value: "off" }`,
    };
    const set = keysOfSet({
      "set-made": 'generate: { keyType: "EC" }, tags: { a: "1" }',
      "set-off": 'generate: { keyType: "RSA" }',
    });
    await stack.program(program(changes, backups, set));
    await stack.up();
    await isClean();
    await isWhole();
    await stack.program(program({}, backups));
    await stack.up();
    await isClean();
    await isWhole();
  });

  it("has what somebody changed told by property, and taken back", async () => {
    await call(vault, "PATCH", `/keys/imported/${versions.imported}`, { key_ops: ["sign"] });
    await call(vault, "PATCH", `/keys/plain/${versions.plain}`, { attributes: { enabled: false } });
    await call(vault, "PATCH", `/secrets/db/${versions.db}`, { tags: {}, attributes: { enabled: false } });
    await call(vault, "PATCH", `/keys/set-made/${versions["set-made"]}`, { attributes: { enabled: false } });
    const { properties } = await stack.drift();
    expect(properties).toMatchObject({
      "Key imported": ["keyOps[1]"],
      "Key plain": ["enabled"],
      "Secret db": ["enabled", "tags"],
      "KeySet set": [expect.stringMatching(/set-made.*enabled/)],
    });
    await stack.up("--refresh");
    await isClean();
    await isWhole();
    expect((await keyClient(vault).getKey("imported")).keyOperations).toEqual(["sign", "verify"]);
    expect((await secretClient(vault).getSecret("db")).properties.tags).toMatchObject({ team: TEAM });
  });

  it("gives back what was deleted outside, what was removed from the program, and what was purged from its backup", async () => {
    await call(vault, "DELETE", "/keys/plain");
    await call(vault, "DELETE", "/secrets/db");
    await call(vault, "DELETE", "/keys/set-made");
    await stack.up("--refresh");
    await isClean();
    await isWhole();
    const set = keysOfSet({ "set-imported": undefined });
    await stack.program(program({ named: undefined, p256k: undefined, db: undefined }, backupsOfKeys, set));
    await stack.up();
    expect((await snapshot(vault)).deleted).toEqual(new Set(["named", "p256k", "db", "set-imported"]));
    await stack.program(program({}, backups));
    await stack.up();
    await isClean();
    await isWhole();
  });

  it("restores a backup under its name, and refuses one over what is there", async () => {
    const [blob = ""] = ((await stack.outputs()) as { blobs: string[] }).blobs;
    await stack.file("imported.backup", blob);
    const restored = { imported: `Key { restore: { file: "imported.backup" } }` };
    await stack.program(program({ imported: undefined }));
    await stack.up();
    await call(vault, "DELETE", "/deletedkeys/imported");
    await stack.program(program(restored));
    await stack.up();
    await isClean();
    await isWhole();
    const other = `new keyvault.Key("other", { name: "copy", restore: { file: "imported.backup" } });`;
    await stack.program(program(restored, other));
    const { exitCode, text } = await stack.tryUp();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_(ALREADY_EXISTS|BACKUP_REJECTED|INVALID_INPUT)/);
    await isWhole();
    await stack.program(program(restored));
    await stack.up();
  });

  it("is listed, told of and adopted by the command", async () => {
    const run = (...args: string[]) => runCommand(args, { cwd: stack.folder, env: stack.env });
    const listed = await run("inventory", "--vault", server.url);
    expect(listed, listed.stderr).toMatchObject({ exitCode: 0 });
    for (const name of KEYS) expect(listed.stdout).toContain(name);
    const told = await run("drift");
    expect(told, told.stderr).toMatchObject({ exitCode: 0 });
    // Of a disabled key such a server tells neither type nor public key: it is named, and the rest is adopted.
    const adopted = await run("adopt", "--vault", server.url, "--force", "--program", "adopted.js");
    expect(adopted).toMatchObject({ exitCode: 8, stderr: expect.stringContaining("keys/disabled") });
    expect(adopted.stdout).toContain("8 keys and 2 secrets to adopt. Left out: 2 that could not be read.");
  });

  it("is empty after destroy, and everything can be recovered", async () => {
    await stack.destroy();
    const { held, deleted } = await snapshot(vault);
    expect(held.size).toBe(0);
    expect(deleted).toEqual(new Set([...KEYS, "db", "off"]));
  });
});
