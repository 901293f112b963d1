import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { consequenceOfChange } from "../../cli/drift/consequence.js";
import { identify } from "../../cli/drift/resource-identity.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";

import { formatInventoryReport, isInventoryReport } from "../../provider/inventory/inventory-report.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "../provider/driven-resource.js";
import { secretInventory } from "../provider/providers.js";

const LATER = Date.parse("2037-01-01T00:00:00Z") / 1000;
const VALUE = "the value 5b7e1c";

let vault: Emulator;
let inventory: DrivenResource;
let told = "";

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  inventory = new DrivenResource(secretInventory, vault, { vaultUrl: vault.url });
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

/** As the SDK passes the arguments on. */
const taken = (args: Arguments): Promise<State> => created(inventory.provider, args);
async function created(provider: typeof secretInventory, args: Arguments): Promise<State> {
  const { inputs, failures } = await provider.check({}, { vaultUrl: vault.url, ...args });
  expect(failures).toEqual([]);
  const { id, outs } = await provider.create(inputs);
  return { id, inputs, outs };
}
const refused = async (args: Arguments): Promise<string> => {
  const { failures } = await secretInventory.check({}, { vaultUrl: vault.url, ...args });
  return failures.map(({ reason }) => reason).join("\n");
};
const set = (name: string, body: Arguments = {}) => call(vault, "PUT", `/secrets/${name}`, { value: VALUE, ...body });
const driftOf = async (state: State): Promise<unknown> => (await inventory.refreshed(state)).inputs.drift;

describe("an inventory of secrets", () => {
  it("tells what is expected, unmanaged, missing, deleted, expiring and of certificates, and reads no value", async () => {
    for (const name of ["db", "rogue", "temp-1"]) await set(name);
    await set("old", { attributes: { exp: Date.parse("2020-01-01T00:00:00Z") / 1000 } });
    await set("tls");
    vault.vault("emulator").giveToCertificate("secrets", "tls");
    await set("gone");
    await call(vault, "DELETE", "/secrets/gone");
    await call(vault, "POST", "/keys/a-key/create", { kty: "EC" });
    vault.requests.clear();
    const { id, outs } = await taken({ expect: ["db", "other"], ignore: ["temp-*"], expiresWithin: "30d" });
    expect(id).toBe(`${vault.url}/secrets`);
    expect(outs).toMatchObject({
      count: 5,
      counts: { missing: 1, unmanaged: 2, expiring: 1, softDeleted: 1, managedByCertificates: 1 },
      missing: ["other"],
      unmanaged: ["old", "rogue"],
      expiring: ["old"],
      softDeleted: ["gone"],
      managedByCertificates: ["tls"],
      unread: [],
    });
    expect(outs).not.toHaveProperty("withoutRotation");
    expect(outs.counts).not.toHaveProperty("withoutRotation");
    expect(outs).not.toHaveProperty("secrets");
    expect(new Set(inventory.operations())).toEqual(new Set(["getSecrets", "getDeletedSecrets"]));
    expect(JSON.stringify(outs)).not.toContain("5b7e1c");
  });

  it("tells as drift, by name, what became of each secret, until an update accepts it", async () => {
    for (const name of ["disabled", "swapped", "deleted", "purged", "same"]) await set(name);
    const state = await taken({ expect: ["disabled", "swapped", "deleted", "purged", "same"] });
    expect(await driftOf(state)).toEqual({});
    vault.clock.advance(5_000);
    await call(vault, "PATCH", "/secrets/disabled", { attributes: { enabled: false } });
    await set("swapped", { value: "another" });
    await call(vault, "DELETE", "/secrets/deleted");
    await call(vault, "DELETE", "/secrets/purged");
    await call(vault, "DELETE", "/deletedsecrets/purged");
    await set("rogue");
    const found = await inventory.refreshed(state);
    expect(found.inputs.drift).toEqual({
      deleted: expect.stringMatching(/^soft-deleted on .*: it can be recovered until /),
      disabled: "disabled",
      purged: "gone: neither there nor among the deleted secrets",
      rogue: expect.stringMatching(/^appeared: its version was made on /),
      swapped: expect.stringMatching(/^has a new version, made on /),
    });
    expect(told).toContain(`the secrets of ${vault.url} are no longer as recorded: `);
    const { outs } = await secretInventory.update(state.id, found.outs, state.inputs);
    expect(await driftOf({ ...state, outs })).toEqual({});
  });

  it("watches of a Secret resource only whether it is there", async () => {
    await set("db");
    const expectResources = [{ vaultUrl: vault.url, name: "db" }];
    const state = await taken({ expectResources });
    vault.clock.advance(5_000);
    await set("db", { value: "the program's next" });
    expect(await driftOf(state)).toEqual({});
    await call(vault, "DELETE", "/secrets/db");
    expect(await driftOf(state)).toEqual({ db: expect.stringMatching(/^soft-deleted/) });
    expect(await refused({ expectResources: [{ vaultUrl: "https://other.vault.azure.net", name: "db" }] })).toMatch(
      /secret "db" is in another vault/,
    );
  });

  it("holds the secrets themselves where the program asks for them, without values", async () => {
    await set("db", { contentType: "text/plain", tags: { team: "orders" }, attributes: { exp: LATER } });
    const state = await taken({ includeSecrets: true });
    expect(state.outs.secrets).toEqual([
      {
        name: "db",
        enabled: true,
        contentType: "text/plain",
        tags: { team: "orders" },
        createdOn: expect.any(String),
        updatedOn: expect.any(String),
        expiresOn: "2037-01-01T00:00:00Z",
      },
    ]);
    const found = await inventory.refreshed(state);
    expect(found.outs.secrets).toEqual(state.outs.secrets);
    expect(found.inputs).toMatchObject({ includeSecrets: true, drift: {} });
  });

  it("fails an update over secrets that nobody expects, with what to do", async () => {
    await set("rogue");
    const { inputs } = await secretInventory.check({}, { vaultUrl: vault.url, onUnmanaged: "fail" });
    await expect(secretInventory.create(inputs)).rejects.toThrow(
      /KV_UNMANAGED.* holds a secret that the program does not expect: rogue.*manage them with a Secret that has adopt/s,
    );
  });

  it("is taken by a caller who may list and no more, and goes on without the deleted ones", async () => {
    await set("db");
    const configure = (secrets: string[]) =>
      vault.vault("emulator").configure({ permissions: { principals: { [vault.token]: { secrets } } } });
    configure(["list"]);
    const state = await taken({ expect: ["db"] });
    expect(state.outs).toMatchObject({ missing: [], unread: [] });
    vault.faults.add({
      kind: "status",
      status: 403,
      code: "Forbidden",
      innerCode: "AccessDenied",
      operation: "getDeletedSecrets",
    });
    const found = await inventory.refreshed(state);
    expect(found.outs.unread).toEqual(["softDeleted"]);
    expect(told).toContain(`the deleted secrets of ${vault.url} may not be listed`);
    vault.faults.clear();
    configure(["get"]);
    await expect(secretInventory.read(state.id, state.outs)).rejects.toThrow(/KV_FORBIDDEN.*secrets\/list/s);
  });

  it.each<[string, Arguments, RegExp]>([
    ["rotation, which secrets have none of", { rotation: true }, /"rotation" is not a property/],
    ["what asks for keys", { includeKeys: true }, /"includeKeys" is not a property/],
    ["a name that is none", { expect: ["a b"] }, /an item is no secret name/],
    ["no list", { expect: "db" }, /must be a list of names and Secret resources/],
    ["a Managed HSM", { vaultUrl: "https://h.managedhsm.azure.net" }, /Managed HSM holds no secrets/],
  ])("refuses %s", async (_what, args, problem) => {
    expect(await refused(args)).toMatch(problem);
  });

  it("is one of a whole vault in a drift report, which knows its lines and what becomes of it", () => {
    const urn = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/keyvault:SecretInventory::vault";
    expect(identify(urn, { vaultUrl: "https://v.vault.azure.net" }).object).toMatchObject({ kind: "vault" });
    const next = { type: "SecretInventory", operation: "update", inputs: {}, plan: undefined, unmanaged: ["rogue"] };
    expect(consequenceOfChange(next, "drift.rogue")).toBe("records the vault as it is now");
    expect(consequenceOfChange({ ...next, inputs: { onUnmanaged: "fail" } }, "drift.rogue")).toBe(
      'fails: the program does not expect rogue, and onUnmanaged is "fail"',
    );
    const report = {
      collection: "secrets",
      vaultUrl: "https://v.vault.azure.net",
      drift: [["rogue", "appeared"]],
    } as const;
    expect(isInventoryReport(formatInventoryReport(report))).toBe(true);
  });
});
