import type { KeyObject } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "./demo-keys.js";
import { DOORS, Stack } from "./stack.js";
import { call, requestCounts, settingsFor } from "./vault-by-hand.js";

const NAMES = Array.from({ length: 60 }, (_, index) => `pump-${String(index).padStart(2, "0")}`);

const PROGRAM = `
const devices = new keyvault.KeySet("devices", {
  import: { folder: "keys", match: "*.pem", passphrase: { env: "KEYS_PASS" } },
  tags: { fleet: "devices" },
  expiresOn: "2099-01-01T00:00:00Z",
});
exports.versionId = devices.key("pump-17").versionId;
exports.thumbprints = devices.thumbprints;
exports.names = devices.names;
`;

function encrypted(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "a passphrase" }).toString();
}

describe.each(DOORS)("a KeySet on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({ door, program: PROGRAM, config, env: { ...env, KEYS_PASS: "a passphrase" } });
    await mkdir(join(stack.folder, "keys"));
  });
  afterEach(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const write = (name: string, text: string) => writeFile(join(stack.folder, "keys", `${name}.pem`), text);

  it("imports a folder, stays without requests, tells drift by key, and goes on without the files", async () => {
    const made = new Map(NAMES.map((name) => [name, ecKey()]));
    // The keys are written a minute before the looks at them: what is younger than two seconds is read once more.
    vault.clock.freeze(Date.now() - 60_000);
    vault.clock.resume();
    for (const [name, { key, pkcs8 }] of made) {
      const isEncrypted = name < "pump-05";
      await write(name, isEncrypted ? encrypted(key) : pkcs8);
    }
    await stack.up();
    const outputs = await stack.outputs();
    expect(outputs.versionId).toMatch(/\/keys\/pump-17\/[0-9a-f]{32}$/);
    expect(outputs.names).toEqual(NAMES);
    expect(Object.keys(outputs.thumbprints as object)).toHaveLength(60);

    vault.requests.clear();
    await stack.up("--expect-no-changes");
    expect(requestCounts(vault)).toEqual({});

    vault.clock.advance(60_000);
    await stack.pulumi("refresh", "--yes", "--skip-preview");
    await rm(join(stack.folder, "keys"), { recursive: true });
    vault.requests.clear();
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect(requestCounts(vault)).toEqual({ getKeys: 4 });

    await call(vault, "PUT", "/keys/pump-17", { key: ecKey().jwk, tags: { fleet: "devices" } });
    await call(vault, "PATCH", "/keys/pump-18", { attributes: { enabled: false } });
    vault.requests.clear();
    const drift = await stack.drift();
    expect(drift.run.exitCode).toBe(7);
    expect(drift.properties).toEqual({
      "KeySet devices": ['keys["pump-17"].expiresOn', 'keys["pump-17"].thumbprint', 'keys["pump-18"].enabled'],
    });
    expect(requestCounts(vault)).toEqual({ getKeys: 4, getKey: 2 });

    const resource = JSON.stringify(await stack.resource("devices"));
    for (const { canaries } of made.values()) for (const canary of canaries) expect(resource).not.toContain(canary);
    // The plugin records what a program reads: the names, versions and thumbprints too.
    expect(resource.length / NAMES.length).toBeLessThan(door === "dynamic" ? 200 : 400);
  });

  it("is backed up and expected as its keys are, and passes to single Keys and back without a new version", async () => {
    const entries = ["a", "b", "c"];
    for (const name of entries) await write(name, ecKey().pkcs8);
    const set = `const devices = new keyvault.KeySet("devices", { import: { folder: "keys" }, tags: { fleet: "x" } });`;
    const more = `
      const all = new keyvault.VaultBackup("all", { keys: [devices].flat() });
      const vault = new keyvault.KeyInventory("vault", { expect: [devices].flat(), onUnmanaged: "fail" });
      exports.covered = all.covered;
      exports.missing = vault.missing;`;
    await stack.program(set + more);
    await stack.up();
    const before = (await stack.outputs()) as { covered: { keys: Record<string, string> } };
    expect(Object.keys(before.covered.keys)).toEqual(entries);

    await stack.program(`
      const devices = ${JSON.stringify(entries)}.map((name) =>
        new keyvault.Key(name, { name, import: { file: "keys/" + name + ".pem" }, tags: { fleet: "x" } }));
      ${more}`);
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ covered: before.covered, missing: [] });
    await stack.program(set + more);
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ covered: before.covered, missing: [] });
    await stack.up("--expect-no-changes");
    await stack.destroy();
    expect(await call(vault, "GET", "/keys")).toMatchObject({ value: [] });
  });

  it("takes names that every object of JavaScript has, as those of keys and of tags", async () => {
    const names = ["constructor", "hasOwnProperty", "then", "toString", "valueOf"];
    // The SDK by itself takes such a map as an Output alone.
    const given = (map: string) => (door === "plugin" ? `${map}: pulumi.output(${map})` : map);
    await stack.program(`
      const tags = { toString: "x", constructor: "y" };
      const entry = (name) => [name, { tags: { ...tags, [name]: "own" } }];
      const keys = Object.fromEntries(${JSON.stringify(names)}.map(entry));
      const devices = new keyvault.KeySet("devices", { generate: { keyType: "EC" }, ${given("tags")}, ${given("keys")} });
      exports.names = devices.names;
      exports.versionIds = devices.versionIds;
      exports.one = devices.key("toString").versionId;`);
    await stack.up();
    const outputs = await stack.outputs();
    expect(outputs.names).toEqual(names);
    expect(outputs.one).toBe((outputs.versionIds as Record<string, string>).toString);
    await stack.up("--expect-no-changes");

    await call(vault, "DELETE", "/keys/constructor");
    await call(vault, "PATCH", "/keys/toString", { tags: { toString: "hand" } });
    expect((await stack.drift()).properties["KeySet devices"]).toEqual([
      "keys.constructor",
      "keys.toString.tags.constructor",
      "keys.toString.tags.toString",
    ]);
    await stack.up("--refresh");
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("keeps what was made where one key fails, goes on with that one, and pins keys with ignoreChanges", async () => {
    for (const name of ["a", "b", "c"]) await write(name, ecKey().pkcs8);
    await call(vault, "PUT", "/keys/b", { key: ecKey().jwk });
    const program = (more: string, opts = "") => `
      const devices = new keyvault.KeySet("devices", { import: { folder: "keys" }, ${more} }, {${opts}});
      exports.names = devices.names;`;
    await stack.program(program(""));
    const failed = await stack.tryUp();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(
      /1 key of the set in .* is not as the program says, the others are:\s+key "b": KV_ALREADY_EXISTS/,
    );
    await stack.program(program('keys: { b: { enabled: true } }, removed: "delete"'));
    await call(vault, "DELETE", "/keys/b");
    await call(vault, "DELETE", "/deletedkeys/b");
    vault.requests.clear();
    await stack.up();
    expect(await stack.outputs()).toEqual({ names: ["a", "b", "c"] });
    expect(requestCounts(vault)).toEqual({ getKey: 1, importKey: 1 });

    await rm(join(stack.folder, "keys", "c.pem"));
    await write("a", ecKey().pkcs8);
    await stack.program(program('removed: "delete"', 'ignoreChanges: ["import"], customTimeouts: { update: "5m" }'));
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toEqual({});
    await stack.program(program('removed: "delete"'));
    await stack.up();
    expect(await stack.outputs()).toEqual({ names: ["a", "b"] });
    expect(requestCounts(vault)).toMatchObject({ importKey: 1, deleteKey: 1 });
  });

  it("is previewed where values, keys and the set itself are not known yet", async () => {
    await write("a", ecKey().pkcs8);
    const program = (last: string) => `
      const other = new keyvault.Key("other", { name: "other", generate: { keyType: "EC" } });
      const devices = new keyvault.KeySet("devices", {
        import: { folder: "keys" },
        tags: { beside: other.version },
        keys: { made: { generate: { keyType: "EC", keepers: { of: other.version } } } },
      });
      const all = new keyvault.VaultBackup("all", { keys: [devices, other] });
      new keyvault.KeyInventory("vault", { expect: [devices, other] });
      exports.versionId = devices.key("${last}").versionId;
      exports.thumbprint = devices.thumbprints.apply((all) => all["${last}"]);
      exports.covered = all.covered.keys;`;
    await stack.program(program("a"));
    const first = await stack.pulumi("preview");
    expect(first.exitCode, first.text).toBe(0);
    await stack.up();
    await write("b", ecKey().pkcs8);
    await stack.program(program("b"));
    const grown = await stack.pulumi("preview", "--diff");
    expect(grown.exitCode, grown.text).toBe(0);
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ versionId: expect.stringMatching(/keys\/b\/[0-9a-f]{32}$/) });
    // The plugin's outputs are plain: there is nothing under that name.
    if (door === "plugin") return;
    await stack.program(program("nowhere"));
    const missing = await stack.pulumi("preview");
    expect(missing.text).toContain('it has no key "nowhere"');
  });
});
