import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { Properties } from "../../provider/engine/lifecycle.js";

import { vaultCaller } from "../cli/vault-caller.js";
import { keyInventory as lifecycle } from "../provider/providers.js";
import { type FleetKey, FleetServer, forbidden } from "./fleet-server.js";

let vault: FleetServer;
const said: string[] = [];

beforeAll(async () => {
  vault = await FleetServer.start();
});
afterAll(() => vault.server.close());
beforeEach(() => {
  vi.stubEnv("KEYVAULT_CREDENTIAL", "token");
  vi.stubEnv("KEYVAULT_TOKEN", "a-token-for-tests");
  vi.spyOn(process.stdout, "write").mockImplementation((text) => said.push(String(text)) > 0);
  said.length = 0;
  vault.keys = [];
  vault.deleted = [];
  vault.deletedAnswer = undefined;
  vault.policyAnswers = {};
  vault.pages = 0;
  vault.policies = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What the engine does of an `up`, and what state then holds. */
async function up(program: Properties, state?: State): Promise<State> {
  const { inputs, failures } = await lifecycle.check(state?.inputs ?? {}, { vaultUrl: vault.url, ...program });
  expect(failures).toEqual([]);
  const { outs } = state ? await lifecycle.update("id", state.outputs, inputs) : await lifecycle.create(inputs);
  return { inputs, outputs: outs };
}

/** What a refresh makes of a state. */
async function refresh({ outputs }: State): Promise<State> {
  const { props, inputs } = await lifecycle.read("id", outputs);
  return { inputs: inputs ?? {}, outputs: props };
}

interface State {
  inputs: Properties;
  outputs: Properties;
}

const size = (state: State): number => JSON.stringify(state).length;
const driftOf = (state: State): Properties => state.inputs.drift as Properties;

describe("ten thousand keys", () => {
  const COUNT = 10_000;
  const plain = Array.from(
    { length: COUNT },
    (_, index): FleetKey => ({ name: `service-${String(index).padStart(5, "0")}` }),
  );
  /** As bad as names and moments can be for compression. */
  const random = Array.from({ length: COUNT }, (_, index): FleetKey => {
    const hash = createHash("sha256").update(String(index)).digest();
    return {
      name: `k${hash.toString("hex").slice(0, 40)}`,
      created: 1_500_000_000 + (hash.readUInt32BE(20) % 300_000_000),
    };
  }).sort((a, b) => (a.name < b.name ? -1 : 1));

  for (const [what, keys] of [
    ["of a scheme", plain],
    ["at random", random],
  ] as const) {
    describe(`named ${what}`, () => {
      it("give a state entry under 100 KB, whether all are unmanaged, expected, missing or deleted", async () => {
        vault.keys = [...keys];
        const unmanaged = await up({ expect: [] });
        expect(unmanaged.outputs).toMatchObject({ count: COUNT, counts: { unmanaged: COUNT } });
        expect(size(unmanaged)).toBeLessThan(100_000);

        const expected = await up({ expect: keys.map(({ name }) => name) });
        expect(expected.outputs).toMatchObject({ count: COUNT, unmanaged: [], missing: [] });
        expect(size(expected)).toBeLessThan(100_000);

        vault.keys = [];
        vault.deleted = [...keys];
        const missing = await up({ expect: keys.map(({ name }) => name) });
        expect(missing.outputs).toMatchObject({ count: 0, counts: { missing: COUNT, softDeleted: COUNT } });
        expect(size(missing)).toBeLessThan(100_000);
        expect(size(await refresh(missing))).toBeLessThan(100_000);
      });

      it("tell by name what appeared, was disabled, swapped or soft-deleted, after one paging", async () => {
        vault.keys = [...keys];
        const state = await up({ expect: [] });
        const [disabled, swapped, deleted] = [keys[100], keys[5000], keys[9999]].map((key) => key?.name ?? "");
        vault.keys = [
          { name: "a-new-key" },
          ...keys
            .filter(({ name }) => name !== deleted)
            .map((key) => ({
              ...key,
              ...(key.name === disabled ? { enabled: false } : {}),
              ...(key.name === swapped ? { created: 1_795_000_000 } : {}),
            })),
        ];
        vault.deleted = [{ name: deleted ?? "" }];
        vault.pages = 0;
        const refreshed = await refresh(state);
        expect(driftOf(refreshed)).toEqual({
          "a-new-key": expect.stringContaining("appeared"),
          [disabled ?? ""]: "disabled",
          [swapped ?? ""]: expect.stringContaining("new version"),
          [deleted ?? ""]: expect.stringContaining("soft-deleted on 2026"),
        });
        expect(vault.pages).toBe(COUNT / 25 + 1);
        expect(size(refreshed)).toBeLessThan(100_000);
      });
    });
  }

  it("tell keys that vanished without a trace by name, or where names do not fit by number", async () => {
    vault.keys = [...plain];
    const named = await up({ expect: [] });
    vault.keys = plain.slice(1);
    expect(driftOf(await refresh(named))).toEqual({
      "service-00000": "gone: neither there nor among the deleted keys",
    });

    vault.keys = [...random];
    const hashed = await up({ expect: [] });
    vault.keys = random.slice(3);
    expect(driftOf(await refresh(hashed))).toEqual({ "(others)": expect.stringMatching(/^3 keys are gone/) });
  });

  it("that all drift at once leave a state that fits", async () => {
    vault.keys = [...plain];
    const state = await up({ expect: [] });
    vault.keys = [];
    const refreshed = await refresh(state);
    expect(Object.keys(driftOf(refreshed))).toHaveLength(101);
    expect(driftOf(refreshed)["(others)"]).toBe("9900 more keys drifted");
    expect(size(refreshed)).toBeLessThan(100_000);
  });

  it("are all listed where keys are asked for", async () => {
    vault.keys = [...plain];
    const state = await up({ expect: [], includeKeys: true });
    expect(state.outputs.keys).toHaveLength(COUNT);
    expect(state.outputs.unmanaged).toHaveLength(COUNT);
    expect((await refresh(state)).inputs).toMatchObject({ includeKeys: true, drift: {} });
  });
});

describe("an inventory", () => {
  it("compares names without case, and tells them as the vault writes them", async () => {
    vault.keys = [{ name: "Orders" }, { name: "signing" }];
    const { outputs } = await up({ expect: ["orders", "SIGNING", "Signing"] });
    expect(outputs).toMatchObject({ unmanaged: [], missing: [], expect: ["orders", "Signing"] });
  });

  it("never takes the key of a certificate for unmanaged, whatever becomes of it", async () => {
    vault.keys = [{ name: "web", managed: true }];
    const state = await up({ expect: [], onUnmanaged: "fail" });
    expect(state.outputs).toMatchObject({ count: 1, unmanaged: [], managedByCertificates: ["web"] });
    vault.keys = [
      { name: "web", managed: true, created: 1_795_000_000 },
      { name: "mail", managed: true },
    ];
    expect(driftOf(await refresh(state))).toEqual({});
  });

  it("watches the key of a certificate that is expected, but not its renewals", async () => {
    vault.keys = [{ name: "web", managed: true }];
    const state = await up({ expect: ["web"] });
    vault.keys = [{ name: "web", managed: true, created: 1_795_000_000 }];
    expect(driftOf(await refresh(state))).toEqual({});
    vault.keys = [];
    expect(driftOf(await refresh(state))).toEqual({ web: expect.stringContaining("gone") });
  });

  it("leaves ignored keys out of everything but the count, unless they are expected", async () => {
    vault.keys = [{ name: "temp-1" }, { name: "TEMP-2" }, { name: "temp-3" }];
    const state = await up({ expect: ["temp-3", "temp-4"], ignore: ["temp-*"] });
    expect(state.outputs).toMatchObject({ count: 3, unmanaged: [], missing: ["temp-4"] });
    vault.keys = [{ name: "temp-9" }, { name: "temp-3" }];
    expect(driftOf(await refresh(state))).toEqual({});
  });

  it("tells a missing key that is there again", async () => {
    const state = await up({ expect: ["orders"] });
    vault.keys = [{ name: "orders" }];
    const refreshed = await refresh(state);
    expect(driftOf(refreshed)).toEqual({ orders: "is there: it was missing" });
    expect(refreshed.outputs.missing).toEqual([]);
  });

  it("tells a key when it begins to expire within the time, once", async () => {
    const soon = Math.floor(Date.now() / 1000) + 3 * 86_400;
    vault.keys = [{ name: "orders" }, { name: "late", expires: soon }];
    const state = await up({ expect: ["orders", "late"], expiresWithin: "P7D" });
    expect(state.outputs.expiring).toEqual(["late"]);
    vault.keys = [
      { name: "orders", expires: soon },
      { name: "late", expires: soon },
    ];
    const refreshed = await refresh(state);
    expect(driftOf(refreshed)).toEqual({ orders: expect.stringMatching(/^expires on /) });
    const accepted = await up({ expect: ["orders", "late"], expiresWithin: "P7D" }, refreshed);
    expect(driftOf(await refresh(accepted))).toEqual({});
  });

  it("goes on without the deleted keys where they may not be listed, and says so", async () => {
    vault.keys = [{ name: "orders" }];
    vault.deletedAnswer = forbidden;
    const { outputs } = await up({ expect: ["orders"] });
    expect(outputs).toMatchObject({ softDeleted: [], unread: ["softDeleted"] });
    expect(said.join("")).toMatch(/deleted keys of \S+ may not be listed/);
  });

  it("says of a key that vanished only what it knows, where deleted keys may not be listed", async () => {
    vault.keys = [{ name: "orders" }];
    vault.deletedAnswer = forbidden;
    const state = await up({ expect: ["orders"] });
    vault.keys = [];
    expect(driftOf(await refresh(state))).toEqual({
      orders: "gone: not there, and the deleted keys could not be read",
    });
  });

  it.each([400, 403, 404, 405, 407, 418, 451, 501])(
    "takes a page of a proxy with status %i in place of the deleted keys for no list",
    async (status) => {
      vault.deletedAnswer = { status, body: "<html>no</html>" };
      await expect(up({ expect: [] })).rejects.toThrow(new RegExp(`^KV_\\w+: getDeletedKeys in \\S+ .*\\(${status}`));
    },
  );

  it.each(["BadParameter", "MethodNotAllowed"])(
    "is an error where the list of deleted keys fails with %s",
    async (code) => {
      vault.deletedAnswer = { status: 400, body: { error: { code, message: "no" } } };
      await expect(up({ expect: [] })).rejects.toThrow(/^KV_INVALID_INPUT: getDeletedKeys/);
    },
  );

  it("has no deleted keys of a vault without soft delete", async () => {
    vault.deletedAnswer = { status: 400, body: { error: { code: "NotSupported", message: "not enabled" } } };
    expect((await up({ expect: [] })).outputs).toMatchObject({ softDeleted: [], unread: [] });
  });

  it("counts a key that a rename replaces as gone, and is the same when it is", async () => {
    vault.keys = [{ name: "before" }, { name: "other" }];
    const program = (name: string) => ({ expect: ["other"], expectResources: [name], includeKeys: true });
    const state = await up(program("before"));
    // The engine deletes the former key at the end of the update, after the inventory.
    vault.keys = [{ name: "after" }, { name: "before" }, { name: "other" }];
    const renamed = await up(program("after"), state);
    expect(renamed.outputs).toMatchObject({ count: 2, unmanaged: [], missing: [] });
    expect(renamed.outputs.keys).toMatchObject([{ name: "after" }, { name: "other" }]);
    vault.keys = [{ name: "after" }, { name: "other" }];
    vault.deleted = [{ name: "before" }];
    const refreshed = await refresh(renamed);
    expect(driftOf(refreshed)).toEqual({});
    const { count, digest, keys } = renamed.outputs;
    expect(refreshed.outputs).toMatchObject({ count, digest, keys });
  });

  it("tells a key that a rename was to replace and that stayed", async () => {
    vault.keys = [{ name: "before" }];
    const state = await up({ expect: [], expectResources: ["before"] });
    vault.keys = [{ name: "after" }, { name: "before" }];
    const renamed = await up({ expect: [], expectResources: ["after"] }, state);
    expect(driftOf(await refresh(renamed))).toEqual({ before: "is still there: it is no longer expected" });
  });

  it.each([
    // A 5xx that is not repeated, which would take its time.
    ["501", { status: 501, body: { error: { code: "NotImplemented", message: "no" } } }],
    ["a page of a proxy", { status: 200, body: "<html>no</html>" }],
  ])("leaves out rotation policies that are answered with %s, and says so", async (_what, answer) => {
    vault.keys = [{ name: "a" }, { name: "b" }];
    vault.policyAnswers = { a: answer };
    const { outputs } = await up({ expect: [], rotation: true });
    expect(outputs).toMatchObject({ withoutRotation: ["b"], unread: ["withoutRotation"] });
    expect(said.join("")).toMatch(/the rotation policies of 1 keys of \S+ are left out: getKeyRotationPolicy "a"/);
  });

  it("tells another rotation policy of a key without a resource as drift, and of a resource in a line", async () => {
    const policy = (months: number, more: object[] = []) => ({
      status: 200,
      body: {
        lifetimeActions: [{ trigger: { timeAfterCreate: `P${months}M` }, action: { type: "Rotate" } }, ...more],
        attributes: { expiryTime: "P2Y" },
      },
    });
    vault.keys = [{ name: "named" }, { name: "owned" }, { name: "same" }];
    vault.policyAnswers = { "*": policy(3) };
    const program = { expect: ["named", "same"], expectResources: ["owned"], rotation: true };
    const state = await up(program);
    expect(driftOf(await refresh(state))).toEqual({});

    const notify = { trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } };
    vault.policyAnswers = { named: policy(4), owned: policy(5), same: policy(3, [notify]) };
    said.length = 0;
    expect(driftOf(await refresh(state))).toEqual({ named: "has another rotation policy" });
    expect(said.join("")).toMatch(/have another rotation policy since the last inventory, .*: owned$/m);

    const accepted = await up(program, await refresh(state));
    said.length = 0;
    expect(driftOf(await refresh(accepted))).toEqual({});
    expect(said.join("")).not.toContain("rotation policy");
  });

  it("keeps in mind a rotation policy that cannot be read for once", async () => {
    vault.keys = [{ name: "named" }];
    const program = { expect: ["named"], rotation: true };
    const state = await up(program);
    vault.policyAnswers = { named: { status: 501, body: { error: { code: "NotImplemented", message: "no" } } } };
    const between = await refresh(state);
    expect(driftOf(between)).toEqual({});
    vault.policyAnswers = {
      named: { status: 200, body: { lifetimeActions: [], attributes: { expiryTime: "P1Y" } } },
    };
    expect(driftOf(await refresh(between))).toEqual({ named: "has another rotation policy" });
  });

  it("asks for no more rotation policies where none can be read", async () => {
    vault.keys = Array.from({ length: 200 }, (_, index) => ({ name: `key-${index}` }));
    vault.policyAnswers = { "*": { status: 200, body: "<html>no</html>" } };
    const { outputs } = await up({ expect: [], rotation: true });
    expect(outputs).toMatchObject({ withoutRotation: [], unread: ["withoutRotation"] });
    expect(said.join("")).toContain("the rotation policies of 200 keys");
    expect(vault.policies).toBeLessThan(50);
  });

  it("tells a new version whose rotation policy cannot be read", async () => {
    vault.keys = [{ name: "orders" }];
    const state = await up({ expect: ["orders"] });
    vault.keys = [{ name: "orders", created: 1_795_000_000 }];
    vault.policyAnswers = { orders: { status: 200, body: "<html>no</html>" } };
    expect(driftOf(await refresh(state))).toEqual({
      orders: expect.stringMatching(/^has a new version, made on .*, and its rotation policy could not be read$/),
    });
  });

  it("is of one vault, however its URL is spelled", async () => {
    const spelled = vault.url.replace("127.0.0.1", "localhost");
    const { inputs, outputs } = await up({ expect: [], expectResources: [{ name: "orders", vaultUrl: spelled }] });
    expect(await lifecycle.diff("id", outputs, { ...inputs, vaultUrl: spelled })).toMatchObject({ replaces: [] });
  });

  it("shows no tag that says who owns a key, and takes none for a change", async () => {
    vault.keys = [{ name: "orders", tags: { team: "shop" } }];
    const program = { expect: ["orders"], includeKeys: true };
    const state = await up(program);
    vault.keys = [{ name: "orders", tags: { team: "shop", "pulumi-keyvault": "shop/dev abcdefghijklmnop" } }];
    const { digest, keys } = state.outputs;
    expect((await up(program)).outputs).toMatchObject({ digest, keys });
    expect(keys).toMatchObject([{ tags: { team: "shop" } }]);
    expect(driftOf(await refresh(state))).toEqual({});
  });

  it("keeps the digest as long as nothing that it watches changes", async () => {
    vault.keys = [{ name: "orders" }, { name: "temp-1" }];
    const program = { expect: ["orders"], ignore: ["temp-*"] };
    const { digest } = (await up(program)).outputs;
    vault.keys = [{ name: "orders" }, { name: "temp-2" }];
    expect((await up(program)).outputs.digest).toBe(digest);
    vault.keys = [{ name: "orders", enabled: false }];
    expect((await up(program)).outputs.digest).not.toBe(digest);
  });

  it("reports all that is wrong with its inputs at once", async () => {
    const { failures } = await lifecycle.check(
      {},
      {
        vaultUrl: vault.url,
        expect: ["not a name", 5],
        expectResources: [{ vaultUrl: "https://other.vault.azure.net", name: "orders" }],
        ignore: "temp-*",
        onUnmanaged: "explode",
        expiresWithin: "soon",
        expected: [],
      },
    );
    expect(failures.map(({ reason }) => reason)).toEqual([
      'KV_INVALID_INPUT: "expected" is not a property of this resource',
      "KV_INVALID_INPUT: onUnmanaged: must be report or fail, and is text of 7 characters",
      expect.stringMatching(/^KV_INVALID_INPUT: expect: an item is no key name .* but text of 10 characters$/),
      expect.stringMatching(/^KV_INVALID_INPUT: expect: an item is no key name .* but a number$/),
      expect.stringContaining('key "orders" is in another vault, and this inventory is of'),
      'KV_INVALID_INPUT: ignore: must be a list of names and globs, such as "temp-*"',
      'KV_INVALID_INPUT: expiresWithin: must be a time such as "30d" or "P30D"',
    ]);
  });

  it("refuses a record that it cannot read", async () => {
    const state = await up({ expect: [] });
    for (const roll of ["", "names:!", "hashes:abc", "something"]) {
      await expect(lifecycle.read("id", { ...state.outputs, roll })).rejects.toThrow(
        /^KV_INVALID_INPUT: The record of an inventory/,
      );
    }
  });

  it("names the member of a state that is null, and keeps those that it does not know", async () => {
    const state = await up({ expect: [] });
    await expect(lifecycle.read("id", { ...state.outputs, missing: null, roll: null })).rejects.toThrow(
      `KV_INVALID_INPUT: the state of the KeyInventory of ${vault.url} cannot be read (missing is null, roll is null): take the inventory anew: pulumi up --replace with its URN`,
    );
    const { inputs } = await lifecycle.read("id", { ...state.outputs, later: { a: 1 } });
    expect(inputs).toEqual(state.inputs);
  });

  it("fails where the vault cannot be asked", async () => {
    const state = await up({ expect: [] });
    await expect(lifecycle.read("id", { ...state.outputs, vaultUrl: "http://127.0.0.1:9" })).rejects.toThrow(
      /^KV_TRANSPORT: /,
    );
  });
});

describe("a reader who may only list", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    const permissions = { principals: { "emulator-owner": { keys: ["*"] }, reader: { keys: ["list"] }, nobody: {} } };
    emulator = await startEmulator({ vaults: [{ name: "emulator", permissions }] });
  });
  afterAll(() => emulator?.close());

  it("takes the inventory and tells drift, and is told which list is not to be had", async () => {
    const call = vaultCaller(emulator);
    for (const name of ["orders", "signing"]) await call("POST", `/keys/${name}/create`, { kty: "EC" });
    await call("DELETE", "/keys/signing");
    vi.stubEnv("KEYVAULT_TOKEN", "reader");
    const program = { vaultUrl: emulator.url, expect: ["orders", "signing"], rotation: true };
    const state = await up(program);
    expect(state.outputs).toMatchObject({
      count: 1,
      missing: ["signing"],
      softDeleted: ["signing"],
      unread: ["withoutRotation"],
    });
    expect(said.join("")).toContain("grant the keys/getrotationpolicy permission");

    emulator.clock.advance(3_600_000);
    await call("POST", "/keys/orders/create", { kty: "EC" });
    await call("POST", "/keys/rogue/create", { kty: "EC" });
    emulator.requests.clear();
    expect(driftOf(await refresh(state))).toEqual({
      orders: expect.stringContaining("new version"),
      rogue: expect.stringContaining("appeared"),
    });
    expect(emulator.requests.log.every(({ method }) => method === "GET")).toBe(true);
  });

  it("fails with the permission to grant where it may not even do that, and takes no key for gone", async () => {
    const strict = await startEmulator({ vaults: [{ name: "emulator", permissions: { principals: {} } }] });
    const { inputs, outputs } = await up({ expect: ["orders"] });
    const state = { inputs, outputs: { ...outputs, vaultUrl: strict.url } };
    await expect(refresh(state)).rejects.toThrow(/^KV_FORBIDDEN: .*grant the keys\/list permission/);
    await strict.close();
  });
});
