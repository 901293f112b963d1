import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { consequenceOfChange } from "../../cli/drift/consequence.js";
import { plannedUpdate } from "../../cli/drift/planned-update.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { secret, secretBackup } from "./providers.js";

const VALUE = "the value 5b7e1c";
const VERSION = expect.stringMatching(/^[0-9a-f]{32}$/);
/** What a Key Vault Reader may do with secrets. */
const READER = ["list"];

let vault: Emulator;
let resource: DrivenResource;
let told = "";

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  resource = new DrivenResource(secret, vault, { vaultUrl: vault.url, name: "db" });
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

const created = async (args: Arguments): Promise<State> => {
  const state = await resource.created(args);
  vault.clock.advance(2_000);
  vault.requests.clear();
  told = "";
  return state;
};
const permit = (secrets: string[], model: "accessPolicy" | "rbac" = "accessPolicy"): void =>
  vault.vault("emulator").configure({ permissions: { model, principals: { [vault.token]: { secrets } } } });
const permitAll = (): void => vault.vault("emulator").configure({ permissions: undefined });
const versions = async (): Promise<number> => Object(await call(vault, "GET", "/secrets/db/versions")).value.length;
const setOutside = async (value: string, attributes = {}): Promise<void> => {
  await call(vault, "PUT", "/secrets/db", { value, attributes });
};
const LISTED = () => `secrets in ${vault.url} are read from the lists of their versions`;

describe.each([
  ["with valueDrift: false", { valueDrift: false }, ["getSecretVersions"], () => {}],
  ["by a caller who may list and not read", {}, ["getSecret", "getSecretVersions"], () => permit(READER)],
] as const)("a secret that is refreshed %s", (_how, option, operations, restrict) => {
  const args = { value: VALUE, ...option };

  it("is read from the list of its versions, and clean", async () => {
    const state = await created({ ...args, tags: { team: "orders" }, expiresOn: "2037-01-01T00:00:00Z" });
    restrict();
    expect(await resource.drift(state)).toEqual({});
    expect(resource.operations()).toEqual(operations);
    expect((await resource.refreshed(state)).outs).toEqual(state.outs);
    expect(told.split(LISTED()).length - 1).toBe("valueDrift" in option ? 0 : 1);
    expect(told).not.toContain("not compared");
  });

  it("tells changed attributes as ever", async () => {
    const state = await created({ ...args, tags: { team: "orders" } });
    await call(vault, "PATCH", `/secrets/db/${state.outs.version}`, {
      tags: { team: "somebody" },
      attributes: { enabled: false },
    });
    restrict();
    expect(await resource.drift(state)).toEqual({ tags: { team: "somebody" }, enabled: false });
  });

  it("tells a new version as drift, and in a line that its value was not compared", async () => {
    const state = await created(args);
    await setOutside("set outside");
    restrict();
    expect(await resource.drift(state)).toEqual({ version: VERSION });
    const found = await resource.refreshed(state);
    expect(told).toContain(
      `secret "db" in ${vault.url}: version ${found.outs.version} was made outside, and its value was not compared`,
    );
    expect(found.outs).toMatchObject({
      valueDigest: state.outs.valueDigest,
      uncomparedValue: true,
      foreignVersion: true,
    });
    expect(await resource.refreshed(found)).toEqual(found);
  });

  it("is compared by the update, which sets the program's value over another", async () => {
    const state = await created(args);
    await setOutside("set outside");
    restrict();
    const found = await resource.refreshed(state);
    permitAll();
    const next = await resource.updated(found, args);
    expect(await call(vault, "GET", "/secrets/db")).toMatchObject({ value: VALUE });
    expect(await versions()).toBe(3);
    expect(next.outs).not.toHaveProperty("uncomparedValue");
    vault.clock.advance(2_000);
    expect(await resource.drift(next)).toEqual({});
  });

  it("is compared by the update, which takes a version of the same value as it is", async () => {
    const state = await created(args);
    await setOutside(VALUE);
    restrict();
    const found = await resource.refreshed(state);
    permitAll();
    const next = await resource.updated(found, args);
    expect(await versions()).toBe(2);
    expect(next.outs).not.toHaveProperty("uncomparedValue");
    expect(await resource.drift(next)).toEqual({});
  });

  it("and generated gets a new value over one that was set outside, and keeps its own", async () => {
    const generate = { length: 32 };
    const state = await created({ ...option, generate });
    const { value } = Object(await call(vault, "GET", "/secrets/db"));
    await setOutside(value);
    restrict();
    let found = await resource.refreshed(state);
    permitAll();
    await secret.diff(found.id, found.outs, await resource.checked({ ...option, generate }, found.inputs));
    expect(told).toContain("gets a new generated value, unless the one made outside is the same");
    found = await resource.updated(found, { ...option, generate });
    expect(await versions()).toBe(2);
    vault.clock.advance(2_000);
    await setOutside("set outside");
    restrict();
    found = await resource.refreshed(found);
    permitAll();
    const next = await resource.updated(found, { ...option, generate });
    expect(await call(vault, "GET", "/secrets/db")).toMatchObject({ value: expect.stringMatching(/^\w{32}$/) });
    vault.clock.advance(2_000);
    expect(await resource.drift(next)).toEqual({});
  });

  it("is gone only by the vault's word", async () => {
    const state = await created(args);
    restrict();
    for (const status of [403, 500]) {
      vault.faults.add({ kind: "status", status, operation: "getSecretVersions" });
      vault.faults.add({ kind: "status", status: 403, operation: "getSecret" });
      const outs = { ...state.outs, timeouts: { read: "1s" } };
      await expect(secret.read(state.id, outs)).rejects.toThrow(/^KV_/);
      vault.faults.clear();
    }
    permitAll();
    await call(vault, "DELETE", "/secrets/db");
    restrict();
    expect(await secret.read(state.id, state.outs)).toMatchObject({ id: "" });
  });
});

describe("a caller who may neither read nor list", () => {
  it.each(["accessPolicy", "rbac"] as const)(
    "is told what is missing (%s), and the secret is not gone",
    async (model) => {
      for (const option of [{}, { valueDrift: false }]) {
        permitAll();
        const state = await created({ value: VALUE, name: `db-${"valueDrift" in option}`, ...option });
        permit(["set"], model);
        await expect(secret.read(state.id, state.outs)).rejects.toThrow(
          "valueDrift" in option ? /^KV_FORBIDDEN: .*secrets\/list/s : /^KV_FORBIDDEN: .*secrets\/get/s,
        );
      }
    },
  );
});

describe("a Key Vault Reader", () => {
  it("refreshes secrets and their backups of a vault with roles", async () => {
    const state = await created({ value: VALUE });
    const backups = new DrivenResource(secretBackup, vault, { vaultUrl: vault.url, name: "db" });
    const backup = await backups.created({});
    permit(READER, "rbac");
    expect(await resource.drift(state)).toEqual({});
    expect(await backups.drift(backup)).toEqual({});
  });

  it("reads a secret of another program", async () => {
    await created({ value: VALUE, tags: { team: "orders" } });
    permit(READER);
    const { props } = await secret.read(`${vault.url}/secrets/db`, { vaultUrl: vault.url });
    expect(props).toMatchObject({ name: "db", version: VERSION, tags: { team: "orders" } });
  });
});

describe("a disabled version that somebody made", () => {
  it("is no version of the program's: its value is set again, and not taken for the one that is there", async () => {
    const state = await created({ value: VALUE });
    await setOutside("set outside", { enabled: false });
    const found = await resource.refreshed(state);
    const next = await resource.updated(found, { value: VALUE });
    expect(await call(vault, "GET", "/secrets/db")).toMatchObject({ value: VALUE });
    expect(await resource.drift(next)).toEqual({});
  });

  it("is compared once it can be read", async () => {
    const state = await created({ value: VALUE });
    await setOutside("set outside", { enabled: false });
    const found = await resource.refreshed(state);
    await call(vault, "PATCH", `/secrets/db/${found.outs.version}`, { attributes: { enabled: true } });
    const { inputs, outs } = await resource.refreshed(found);
    expect(inputs.valueDigest).toBe(`${outs.valueDigest} instead of ${state.outs.valueDigest}`);
    expect(outs).not.toHaveProperty("uncomparedValue");
  });
});

describe("valueDrift", () => {
  it("is recorded where it is false, and changing it sends nothing", async () => {
    const state = await created({ value: VALUE });
    expect(await resource.checked({ value: VALUE, valueDrift: true }, state.inputs)).toEqual(state.inputs);
    const next = await resource.updated(state, { value: VALUE, valueDrift: false });
    expect(resource.operations()).toEqual([]);
    expect(next.outs).toEqual({ ...state.outs, valueDrift: false });
    expect(await resource.refused({ value: VALUE, valueDrift: "no" })).toMatch(/valueDrift: must be true or false/);
  });

  it.each([
    [{ valueDigest: "d" }, /^sets the program's value as a new version, unless/],
    [{ generate: { length: 32 } }, /^generates another value as a new version, unless/],
    [{ adopt: true }, /^takes the version as it is/],
  ])("has a drift report that says what becomes of a version that was not compared: %o", (inputs, consequence) => {
    const type = "Secret";
    const outputs = { ...inputs, version: "b", foreignVersion: true, uncomparedValue: true };
    const observed = { inputs: { ...inputs, version: "b" }, outputs };
    const plan = plannedUpdate({ type, observed, inputs, differing: new Set(["version"]) });
    expect(consequenceOfChange({ type, operation: "update", inputs, plan, unmanaged: [] }, "version")).toMatch(
      consequence,
    );
  });
});
