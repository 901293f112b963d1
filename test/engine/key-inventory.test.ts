import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Stack } from "./stack.js";

const HOUR = 3_600_000;

/** Names of 60 keys, with which the emulator puts an empty page before each full one. */
const FLEET = Array.from({ length: 60 }, (_, index) => `host-${String(index).padStart(2, "0")}`);

describe("an inventory on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;

  const program = ({ expected = FLEET.slice(0, 58), options = "", manages = ["orders"] } = {}): string => `
    const keys = ${JSON.stringify(manages)}.map((name) => new keyvault.Key(name, { name, generate: { keyType: "EC" } }));
    const inventory = new keyvault.KeyInventory("vault", {
      expect: [...keys, ...${JSON.stringify(expected)}],
      ignore: ["temp-*"],
      expiresWithin: "30d",
      ${options}
    });
    exports.found = pulumi.all([inventory.count, inventory.counts, inventory.unmanaged, inventory.missing,
      inventory.softDeleted, inventory.managedByCertificates, inventory.expiring, inventory.withoutRotation, inventory.unread]).apply(
      ([count, counts, unmanaged, missing, softDeleted, managedByCertificates, expiring, withoutRotation, unread]) =>
        ({ count, counts, unmanaged, missing, softDeleted, managedByCertificates, expiring, withoutRotation, unread }));
    exports.digest = inventory.digest;
    exports.keys = inventory.keys;`;

  beforeAll(async () => {
    vault = await startEmulator();
    for (const name of FLEET) await make(name);
    await make("temp-1");
    await make("soon", { attributes: { exp: Math.floor(Date.now() / 1000) + 10 * 86_400 } });
    await make("gateway");
    vault.vault("emulator").giveToCertificate("keys", "gateway");
    stack = await Stack.create({
      program: program(),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const requests = (operation: string): number =>
    vault.requests.log.filter((each) => each.operation === operation).length;

  it("up takes it after the keys of the program, in one paging with its empty pages", async () => {
    vault.requests.clear();
    await stack.up();
    expect((await stack.outputs()).found).toMatchObject({
      count: 64,
      unmanaged: ["host-58", "host-59", "soon"],
      missing: [],
      softDeleted: [],
      managedByCertificates: ["gateway"],
      expiring: ["soon"],
      withoutRotation: [],
      unread: [],
    });
    // Three pages with keys and two empty ones.
    expect(requests("getKeys")).toBe(5);
    expect(requests("getDeletedKeys")).toBe(1);
  });

  it("a refresh of an untouched vault is clean", async () => {
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
  });

  it("keys added, removed, disabled, swapped and soft-deleted outside are each told by name, with exit code 7", async () => {
    vault.clock.advance(HOUR);
    await make("rogue");
    await make("temp-2");
    await call("DELETE", "/keys/host-10");
    await call("DELETE", "/deletedkeys/host-10", undefined, 204);
    await call("PATCH", "/keys/host-20", { attributes: { enabled: false } });
    await make("host-30");
    await call("DELETE", "/keys/host-40");

    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties).toEqual({
      "KeyInventory vault": [
        "drift.rogue",
        'drift["host-10"]',
        'drift["host-20"]',
        'drift["host-30"]',
        'drift["host-40"]',
      ],
    });
    const plain = await stack.pulumi("preview", "--refresh", "--diff");
    expect(plain.text).toMatch(/rogue\s*:? "?appeared: its version was made on \S+Z/);
    expect(plain.text).toMatch(/host-10\s*:? "?gone: neither there nor among the deleted keys/);
    expect(plain.text).toMatch(/host-20\s*:? "?disabled/);
    expect(plain.text).toMatch(/host-30\s*:? "?has a new version, made on \S+Z/);
    expect(plain.text).toMatch(/host-40\s*:? "?soft-deleted on \S+Z: it can be recovered until \S+Z/);
  });

  it("drift that a plain refresh wrote to state is told until an update accepts it", async () => {
    await stack.pulumi("refresh", "--yes", "--skip-preview");
    expect((await stack.drift()).run.exitCode).toBe(7);
    expect((await stack.preview()).steps.map(({ op }) => op)).toContain("update");

    await stack.up("--refresh");
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect((await stack.outputs()).found).toMatchObject({
      count: 64,
      unmanaged: ["host-58", "host-59", "rogue", "soon"],
      missing: ["host-10", "host-40"],
      softDeleted: ["host-40"],
    });
  });

  it("a key of the program that is deleted outside is told by the key and by the inventory, and comes back", async () => {
    await call("DELETE", "/keys/orders");
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties["KeyInventory vault"]).toEqual(["drift.orders"]);
    expect(Object.keys(properties)).toContain("Key orders");
    await stack.up("--refresh");
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("a key that the program itself changes is no drift of the inventory", async () => {
    vault.clock.advance(HOUR);
    const changed = program().replace('keyType: "EC"', 'keyType: "EC", keepers: { round: "2" }');
    await stack.program(changed);
    await stack.up();
    expect((await stack.drift()).run.exitCode).toBe(0);
    await stack.program(program());
    await stack.up();
  });

  it("a version that a key's rotation policy made is no drift", async () => {
    await call("PUT", "/keys/host-05/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P10D" }, action: { type: "Rotate" } }],
      attributes: {},
    });
    vault.clock.advance(11 * 24 * HOUR);
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
    expect(requests("getKeyRotationPolicy")).toBeGreaterThan(0);
  });

  it("asked for, it tells keys without rotation, and lists the keys themselves", async () => {
    await stack.program(program({ options: "rotation: true, keys: true," }));
    await stack.up();
    const { found, keys } = (await stack.outputs()) as { found: Record<string, string[]>; keys: { name: string }[] };
    expect(found.withoutRotation).toContain("rogue");
    expect(found.withoutRotation).not.toContain("host-05");
    expect(keys.map(({ name }) => name)).toEqual(expect.arrayContaining(["gateway", "host-00", "temp-1"]));
    expect(keys).toHaveLength(64);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("with onUnmanaged fail an update fails by naming the keys, and goes on when they are expected", async () => {
    await stack.program(program({ options: 'onUnmanaged: "fail",' }));
    const failed = await stack.tryUp();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(
      /KV_UNMANAGED: \S+ holds keys that the program does not expect: host-58, host-59, rogue, soon/,
    );
    await stack.program(program({ expected: [...FLEET, "rogue", "soon"], options: 'onUnmanaged: "fail",' }));
    await stack.up();
    expect((await stack.outputs()).found).toMatchObject({ unmanaged: [], missing: ["host-10", "host-40"] });
  });

  it("a key that leaves the program in the same update is not taken for an unmanaged one", async () => {
    await stack.program(
      program({ expected: [...FLEET, "rogue", "soon"], options: 'onUnmanaged: "fail",', manages: [] }),
    );
    await stack.up();
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
    expect((await stack.outputs()).found).toMatchObject({ unmanaged: [] });
  });

  it("one that is no longer expected and stays is told by the next refresh", async () => {
    await stack.program(program({ expected: [...FLEET, "soon"], manages: [] }));
    await stack.up();
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties["KeyInventory vault"]).toEqual(["drift.rogue"]);
    await stack.up("--refresh");
    expect((await stack.outputs()).found).toMatchObject({ unmanaged: ["rogue"] });
  });

  it("destroy asks the vault nothing", async () => {
    vault.requests.clear();
    await stack.destroy();
    expect(vault.requests.count).toBe(0);
  });

  const make = (name: string, more: object = {}): Promise<void> =>
    call("POST", `/keys/${name}/create`, { kty: "EC", ...more });

  const call = async (method: string, path: string, body?: unknown, status = 200): Promise<void> => {
    const answer = await fetch(`${vault.url}${path}?api-version=7.4`, {
      method,
      headers: { authorization: `Bearer ${vault.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(status);
  };
});
