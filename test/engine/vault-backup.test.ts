import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { stateFiles } from "./decrypted-state.js";
import { DOORS, Stack } from "./stack.js";
import { call, pemOf, requestCounts, rsaKey, settingsFor } from "./vault-by-hand.js";

/** What a VaultBackup shows in a stack output. */
interface Shown {
  covered: { keys: Record<string, string>; secrets: Record<string, string> };
  blobs: { keys: Record<string, string>; secrets: Record<string, string> };
  failed: { keys: Record<string, string>; secrets: Record<string, string> };
}

/** Every blob has it in its header: base64url of `AzureKeyVault`, as far as it does not depend on the byte before. */
const BLOB = "F6dXJlS2V5VmF1bHR";

describe.each(DOORS)("a backup of a whole vault (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;

  const program = (tags = "{}", backup = 'keys: ["*", orders], secrets: ["*", db]'): string => `
    const orders = new keyvault.Key("orders", { name: "orders", import: { file: "orders.pem" }, tags: ${tags} });
    const db = new keyvault.Secret("db", { name: "db", value: "s3cret", tags: ${tags} });
    const all = new keyvault.VaultBackup("all", { ${backup} }, { dependsOn: [orders, db] });
    exports.covered = all.covered;
    exports.blobs = all.blobs;
    exports.failed = all.failed;`;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({ door, program: program(), ...settingsFor(vault) });
    await stack.file("orders.pem", pemOf(rsaKey()));
    await call(vault, "POST", "/keys/by-hand/create", { kty: "EC" });
    await call(vault, "PUT", "/secrets/orders", { value: "a secret of the key's name" });
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("takes each key and secret once, without reading a secret's value", async () => {
    vault.requests.clear();
    const run = await stack.up();
    expect(run.text).toMatch(/backed up 4 of 4 objects of http/);
    const counts = requestCounts(vault);
    expect(counts).toMatchObject({ getKeys: 1, getSecrets: 1, backupKey: 2, backupSecret: 2, getSecretVersions: 2 });
    const { covered, blobs } = await shown(stack);
    expect(Object.keys(covered.keys)).toEqual(["by-hand", "orders"]);
    expect(Object.keys(covered.secrets)).toEqual(["db", "orders"]);
    expect(covered.keys.orders).toMatch(/^[0-9a-f]{32}$/);
    expect(Object.keys(blobs.keys)).toEqual(["by-hand", "orders"]);
    expect(blobs.keys.orders).not.toBe(blobs.secrets.orders);
  });

  it("keeps the blobs in state encrypted", async () => {
    expect(JSON.stringify((await shown(stack)).blobs)).toContain(BLOB);
    expectNoBlobOnDisk(stack);
    expect((await stack.resource("all")).outputs?.blobs).toHaveProperty("4dabf18193072939515e22adb298388d");
  });

  it("takes a changed resource again in the same up, and only that", async () => {
    const before = await shown(stack);
    // A vault's moments are whole seconds.
    vault.clock.advance(2_000);
    await stack.program(program('{ team: "orders" }'));
    vault.requests.clear();
    expect((await stack.up()).text).toMatch(/backed up 2 of 4 objects/);
    expect(requestCounts(vault)).toMatchObject({ updateKey: 1, updateSecret: 1, backupKey: 1, backupSecret: 1 });
    const after = await shown(stack);
    expect(after.blobs.keys.orders).not.toBe(before.blobs.keys.orders);
    expect(after.blobs.keys["by-hand"]).toBe(before.blobs.keys["by-hand"]);
    expect(after.blobs.secrets.orders).toBe(before.blobs.secrets.orders);
  });

  it("tells on refresh what changed outside and what is new, and takes that", async () => {
    vault.clock.advance(2_000);
    await call(vault, "PATCH", "/keys/by-hand", { tags: { by: "hand" } });
    await call(vault, "PUT", "/secrets/later", { value: "new" });
    const { run, steps, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties["VaultBackup all"]?.[0]).toMatch(/^stale/);
    expect(JSON.stringify(steps)).toMatch(/key \\"by-hand\\" was changed on/);
    expect(JSON.stringify(steps)).toContain('secret \\"later\\" is new');

    vault.requests.clear();
    await stack.up("--refresh");
    expect(requestCounts(vault)).toMatchObject({ backupKey: 1, backupSecret: 1 });
  });

  it("keeps the last blob of a key that the vault no longer has", async () => {
    const { blobs } = await shown(stack);
    await call(vault, "DELETE", "/keys/by-hand");
    expect((await stack.drift()).run.exitCode).toBe(0);
    await call(vault, "POST", "/keys/another/create", { kty: "EC" });
    await stack.up("--refresh");
    const after = await shown(stack);
    expect(Object.keys(after.blobs.keys)).toEqual(["another", "by-hand", "orders"]);
    expect(after.blobs.keys["by-hand"]).toBe(blobs.keys["by-hand"]);
  });

  it("tells by name what fails, keeps the others, and tries again in the next up", async () => {
    await call(vault, "POST", "/keys/healthy/create", { kty: "EC" });
    await call(vault, "POST", "/keys/sick/create", { kty: "EC" });
    vault.faults.add({ kind: "status", status: 400, operation: "backupKey", path: "/keys/sick/" });
    const failing = await stack.tryUp("--refresh");
    expect(failing.exitCode).not.toBe(0);
    expect(failing.text).toMatch(/1 failed, the others are kept:\s+key "sick": /);
    expectNoBlobOnDisk(stack);

    vault.faults.clear();
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toMatchObject({ backupKey: 1 });
    const { covered, failed } = await shown(stack);
    expect(Object.keys(covered.keys)).toEqual(["another", "by-hand", "healthy", "orders", "sick"]);
    expect(failed).toEqual({ keys: {}, secrets: {} });
  });

  it("goes on without what fails where the program says so, and tries again in the next up", async () => {
    vault.clock.advance(2_000);
    await call(vault, "PATCH", "/keys/sick", { tags: { still: "sick" } });
    vault.faults.add({ kind: "status", status: 400, operation: "backupKey", path: "/keys/sick/" });
    const reporting = program('{ team: "orders" }', 'keys: ["*", orders], secrets: ["*", db], onFailure: "report"');
    await stack.program(reporting);
    const run = await stack.up();
    expect(run.text).toContain('key "sick"');
    const { covered, failed } = await shown(stack);
    expect(Object.keys(failed.keys)).toEqual(["sick"]);
    expect(covered.keys).toHaveProperty("sick");
    vault.faults.clear();
    await stack.up();
    expect((await shown(stack)).failed).toEqual({ keys: {}, secrets: {} });

    vault.requests.clear();
    expect((await stack.up()).text).toContain("4 unchanged");
    expect(requestCounts(vault)).toEqual({});
  });

  it("is told as stale where its blobs became null with the secrets of the state, and taken again", async () => {
    const before = await shown(stack);
    const state = JSON.parse((await stack.pulumi("stack", "export")).stdout);
    for (const { outputs = {} } of state.deployment.resources) if ("revisions" in outputs) outputs.blobs = null;
    await stack.file("without-secrets.json", JSON.stringify(state));
    await stack.pulumi("stack", "import", "--file", "without-secrets.json");
    const { run, properties } = await stack.drift();
    expect(run.exitCode, run.text).toBe(7);
    expect(properties["VaultBackup all"]).toContain("stale");

    // Also by an up that refreshes nothing. What the vault no longer has is gone with its blob, and told.
    vault.requests.clear();
    const { text } = await stack.up();
    expect(text).toContain('the backup of key "by-hand" is lost, and the vault no longer has it');
    const { "by-hand": _lost, ...keys } = before.covered.keys;
    expect(requestCounts(vault)).toMatchObject({ backupKey: Object.keys(keys).length });
    const { covered, blobs } = await shown(stack);
    expect(covered).toEqual({ ...before.covered, keys });
    expect(Object.keys(blobs.keys)).toEqual(Object.keys(keys));
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("drops what the program no longer selects, and takes nothing again for it", async () => {
    await stack.program(program('{ team: "orders" }', 'keys: [orders, "an*"], secrets: "db"'));
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).not.toHaveProperty("backupKey");
    const { covered } = await shown(stack);
    expect(covered).toMatchObject({ keys: { another: expect.any(String), orders: expect.any(String) } });
    expect(Object.keys(covered.keys)).toHaveLength(2);
    expect(Object.keys(covered.secrets)).toEqual(["db"]);
  });
});

function expectNoBlobOnDisk(stack: Stack): void {
  expect(stateFiles(stack).filter((text) => text.includes(BLOB))).toEqual([]);
}

async function shown(stack: Stack): Promise<Shown> {
  return (await stack.outputs()) as unknown as Shown;
}
