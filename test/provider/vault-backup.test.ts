import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import { isPattern, selection } from "../../provider/vault-backup/selection.js";
import { call, requestCounts } from "../engine/vault-by-hand.js";
import { VaultServer } from "../keyvault/vault-server.js";
import { startEngineRun } from "./engine-run.js";
import { vaultBackup } from "./providers.js";

const folder = mkdtempSync(join(tmpdir(), "vault-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a selection", () => {
  it.each([
    ["*", ["orders", "Orders-2", "constructor"], []],
    ["orders", ["orders", "ORDERS"], ["orders-2"]],
    ["orders-*", ["orders-2", "Orders-eu"], ["orders", "my-orders-2"]],
    ["{a,b}-?", ["a-1", "B-2"], ["a-12", "c-1"]],
  ])("of %s takes what it names, without case", (pattern, taken, left) => {
    const { matches } = selection([pattern]);
    expect(taken.filter((name) => !matches(name))).toEqual([]);
    expect(left.filter(matches)).toEqual([]);
  });

  it("leaves out what begins with an exclamation mark", () => {
    const { matches, names, globs } = selection(["*", "huge", "!huge", "!temp-*"]);
    expect(["orders", "huge", "temp-1"].filter(matches)).toEqual(["orders"]);
    expect({ names, globs: globs.map(({ pattern }) => pattern) }).toEqual({ names: [], globs: ["*"] });
  });

  it("reads an exclamation mark in a class as every shell does", () => {
    const { matches } = selection(["[!a-c]*"]);
    expect(["a-1", "d-1", "B-2", "x"].filter(matches)).toEqual(["d-1", "x"]);
  });

  it.each(["*", "a", "!a", "a?-*", "[a-c]x", "[!a]", "[^a-]*", "{a,b}", "{a,{b,c*}}-[0-9]", "!{a,b}", "{,x}a"])(
    "can be %s",
    (pattern) => expect(isPattern(pattern)).toBe(true),
  );

  it.each([
    "",
    "!",
    "[",
    "]",
    "[]",
    "[!]",
    "[a",
    "{a",
    "a}",
    "{}",
    "{a}",
    "a,b",
    "[z-a]",
    "[*]",
    "!!a",
    "a!b",
    "a/b",
    "^a",
  ])("cannot be %j, which matches nothing or not what it says", (pattern) => expect(isPattern(pattern)).toBe(false));
});

describe("check of a vault's backup", () => {
  const vaultUrl = "https://contoso.vault.azure.net";
  const check = async (news: Record<string, unknown>) => {
    const { inputs, failures } = await vaultBackup.check({}, { vaultUrl, ...news });
    return { inputs, told: failures.map(({ reason }) => reason) };
  };

  it("sorts what is selected, and leaves out names that a star covers", async () => {
    const { inputs } = await check({ keys: ["b", "*", "a", "!c"], secrets: ["z", "y", "y"] });
    expect(inputs).toMatchObject({ keys: ["!c", "*"], secrets: ["y", "z"] });
    expect((await check({ keys: [["b", "a"]] })).inputs).toMatchObject({ keys: ["a", "b"] });
  });

  it("keeps of a resource its name and a digest that changes with it", async () => {
    const resource = { name: "a", version: "1", updatedOn: "2026-01-01T00:00:00Z", vaultUrl };
    const before = (await check({ keys: [resource] })).inputs;
    expect(before).toMatchObject({ keys: ["a"], revisions: { keys: { a: expect.stringMatching(/^[\w-]{11}$/) } } });
    const after = (await check({ keys: [{ ...resource, updatedOn: "2026-01-02T00:00:00Z" }] })).inputs;
    expect(after.revisions).not.toEqual(before.revisions);
    const unknown = (await check({ keys: [{ ...resource, version: UNKNOWN }] })).inputs;
    expect(unknown).toMatchObject({ keys: ["a"], revisions: { keys: { a: UNKNOWN } } });
  });

  it("takes the vault of the resources where none is given", async () => {
    const { inputs } = await vaultBackup.check({}, { keys: [{ name: "a", version: "1", vaultUrl }] });
    expect(inputs.vaultUrl).toBe(vaultUrl);
  });

  it.each([
    ["nothing to back up", {}, /nothing to back up/],
    ["exclusions alone", { keys: "!a" }, /add "\*"/],
    ["a name that cannot be one", { keys: "a/b" }, /keys: must be "\*", a key name, a glob/],
    [
      "a glob that is none",
      { keys: ["a", "b["] },
      /keys: must be .*, and item 2 \(text of 2 characters\) is none of them/,
    ],
    ["allowEmpty that is neither", { keys: "*", allowEmpty: "yes" }, /allowEmpty: must be true or false/],
    [
      "a resource of another vault",
      { keys: [{ name: "a", vaultUrl: "https://x.vault.azure.net" }] },
      /is of one vault/,
    ],
    ["secrets of a Managed HSM", { vaultUrl: "https://x.managedhsm.azure.net", secrets: "*" }, /holds keys only/],
    ["a folder without a name", { keys: "*", to: {} }, /to: must be \{ folder/],
    ["an unknown reaction to failures", { keys: "*", onFailure: "ignore" }, /onFailure: must be fail or report/],
    ["a property that it does not have", { keys: "*", names: "*" }, /"names" is not a property/],
  ])("refuses %s", async (_what, news, reason) => {
    expect((await check(news)).told).toEqual([expect.stringMatching(reason)]);
  });
});

describe("a vault's backup", () => {
  let vault: Emulator;
  let told: string;

  beforeEach(async () => {
    vault = await startEmulator();
    startEngineRun(vault);
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

  const inputsOf = async (args: Record<string, unknown>) => {
    const { inputs, failures } = await vaultBackup.check({}, { vaultUrl: vault.url, ...args });
    expect(failures).toEqual([]);
    return inputs;
  };
  const create = async (args: Record<string, unknown>) => {
    const { id, outs } = await vaultBackup.create(await inputsOf(args));
    return { id, outs: asState(outs) };
  };
  const update = async (olds: Record<string, unknown>, args: Record<string, unknown>) =>
    asState((await vaultBackup.update("id", olds, await inputsOf(args))).outs);

  /** As the engine passes outputs back: secrets in plain text. */
  const asState = (outs: Record<string, unknown>) => {
    expect(outs.blobs).toHaveProperty("4dabf18193072939515e22adb298388d");
    const { value } = outs.blobs as { value: { keys: Record<string, string>; secrets: Record<string, string> } };
    return { ...outs, covered: outs.covered, blobs: value };
  };
  /** Keys go between the look at the vault and the request for their backup. */
  const deletedAtTheLastMoment = async (times: number) => {
    const client = await vaultClient({ vaultUrl: vault.url });
    if (vi.isMockFunction(client.backupKey)) client.backupKey.mockRestore();
    const backupKey = client.backupKey.bind(client);
    let left = times;
    vi.spyOn(client, "backupKey").mockImplementation(async (name) => {
      if (left-- > 0) await call(vault, "DELETE", `/keys/${name}`);
      return backupKey(name);
    });
  };
  const makeKey = (name: string) => call(vault, "POST", `/keys/${name}/create`, { kty: "EC" });

  it("follows the pages of a list and takes each object once", async () => {
    for (let i = 0; i < 60; i++) await makeKey(`key-${i}`);
    const { outs } = await create({ keys: "*" });
    expect(Object.keys(outs.blobs.keys)).toHaveLength(60);
    expect(requestCounts(vault)).toMatchObject({ getKey: 60, backupKey: 60 });
    expect(told).toMatch(/backed up 60 of 60 objects/);
  });

  it("asks for a few names one by one, without listing the vault", async () => {
    await makeKey("a");
    vault.requests.clear();
    const { outs } = await create({ keys: "A" });
    expect(requestCounts(vault)).toEqual({ getKey: 1, backupKey: 1 });
    expect(Object.keys(outs.blobs.keys)).toEqual(["a"]);
  });

  it("leaves keys and secrets of certificates to the certificate, unless they are named", async () => {
    await makeKey("tls");
    await makeKey("orders");
    vault.vault("emulator").giveToCertificate("keys", "tls");
    expect(Object.keys((await create({ keys: "*" })).outs.blobs.keys)).toEqual(["orders"]);
    expect(told).toContain("keys of certificates are not in the backup");
    expect(Object.keys((await create({ keys: ["o*", "tls"] })).outs.blobs.keys)).toEqual(["orders", "tls"]);
  });

  it("tells by name what has too many versions or is not there, and keeps the others", async () => {
    for (let i = 0; i < 501; i++) await call(vault, "PUT", "/secrets/huge", { value: "v" });
    await call(vault, "PUT", "/secrets/small", { value: "v", attributes: { enabled: false } });
    const failure = await create({ secrets: ["huge", "small", "missing"] }).then(
      () => undefined,
      (error: Error & { id: string; properties: Record<string, unknown>; reasons: string[] }) => error,
    );
    expect(failure?.id).toBe(`${vault.url}/backup`);
    expect(failure?.message).toMatch(/2 failed, the others are kept:\s+secret "missing": .*\s+secret "huge": .*500/);
    expect(failure?.properties.failed).toMatchObject({ secrets: { huge: expect.any(String) } });
    expect(failure?.properties.covered).toMatchObject({ secrets: { small: expect.any(String) } });
  });

  it("is no resource where nothing could be taken, and does not try each of many in vain", async () => {
    for (let i = 0; i < 200; i++) await makeKey(`key-${i}`);
    const principals = { [vault.token]: { keys: ["get", "list"] } };
    vault.vault("emulator").configure({ permissions: { model: "accessPolicy", principals } });
    const failure = await create({ keys: "*" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/backupKey .* was refused \(403.*keys\/backup/s) });
    expect(failure).not.toHaveProperty("id");
    expect(requestCounts(vault).backupKey).toBeLessThan(100);
  });

  it.each([
    ["a glob", { keys: ["orders", "ordrs-*"] }, 'keys "ordrs-*": it matches nothing in the vault'],
    ["all that is not there", { secrets: "*" }, 'secrets "*": it matches nothing in the vault'],
    ["what only certificates have", { keys: "tls*" }, 'keys "tls*": it matches only keys of certificates'],
    ["what it leaves out itself", { keys: ["o*", "!orders"] }, 'keys "o*": it matches nothing'],
  ])("of %s that covers nothing fails by name, and takes nothing", async (_what, args, reason) => {
    await makeKey("orders");
    await makeKey("tls");
    vault.vault("emulator").giveToCertificate("keys", "tls");
    const failure = await create(args).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: expect.stringContaining(`KV_NOT_FOUND: ${vault.url} was not backed up, ${reason}`),
    });
    expect(failure).toMatchObject({ message: expect.stringContaining("allowEmpty: true") });
    expect(failure).not.toHaveProperty("id");
    expect(requestCounts(vault)).not.toHaveProperty("backupKey");
    const { outs } = await create({ ...args, allowEmpty: true });
    expect(outs).toMatchObject({ failed: { keys: {}, secrets: {} } });
  });

  it("says of what is named and deleted that it can be recovered", async () => {
    for (const name of ["orders", "other"]) await makeKey(name);
    await call(vault, "DELETE", "/keys/orders");
    await expect(create({ keys: ["orders", "other", "never"] })).rejects.toThrow(
      /2 failed.*key "never": the vault has nothing of that name\s+key "orders": it was deleted on [\dT:-]+Z, and can be recovered until [\dT:-]+Z/s,
    );
  });

  it("takes all of one kind where the vault has none of the other", async () => {
    await makeKey("orders");
    expect(Object.keys((await create({ keys: "*", secrets: "*" })).outs.blobs.keys)).toEqual(["orders"]);
  });

  it("reports a glob that covers nothing, where that is asked for, and tries it again", async () => {
    await makeKey("orders");
    const { outs } = await create({ keys: ["orders", "ordrs-*"], onFailure: "report" });
    expect(outs).toMatchObject({ failed: { keys: { "ordrs-*": "it matches nothing in the vault" } } });
    expect(await vaultBackup.diff("id", outs, outs)).toMatchObject({ changes: true });
  });

  it("keeps what it has where a later selection covers nothing", async () => {
    await makeKey("orders");
    const { outs } = await create({ keys: "o*" });
    await expect(update(outs, { keys: "ordrs-*" })).rejects.toThrow("was not backed up");
    await expect(update(outs, { keys: "missing" })).rejects.toThrow("nothing of");
    await call(vault, "DELETE", "/keys/orders");
    expect((await update(outs, { keys: "o*" })).blobs).toEqual(outs.blobs);
    expect((await update(outs, { keys: "ORDERS" })).blobs).toEqual(outs.blobs);
  });

  it("is a failure, by name, of what is named and answered with 404", async () => {
    await makeKey("orders");
    await makeKey("other");
    await deletedAtTheLastMoment(1);
    const failure = await create({ keys: ["orders"] }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: expect.stringMatching(/nothing of .* could be backed up.*key "orders": it was there/s),
    });
    expect(failure).not.toHaveProperty("id");
    await makeKey("third");
    await deletedAtTheLastMoment(1);
    const partial = await create({ keys: ["other", "third"] }).catch((error: unknown) => error);
    expect(partial).toMatchObject({ id: `${vault.url}/backup`, message: expect.stringMatching(/1 failed/) });
  });

  it("is a failure, by name, of a resource that the vault does not have, though a glob covers it", async () => {
    await makeKey("other");
    const gone = { name: "orders", version: "1", updatedOn: "2027-01-01T00:00:00Z", vaultUrl: vault.url };
    const failure = await create({ keys: ["*", gone] }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      id: `${vault.url}/backup`,
      message: expect.stringMatching(/1 failed, the others are kept:\s+key "orders": the vault has nothing/),
    });
    expect(Object.keys((await create({ keys: ["*", "!orders", gone] })).outs.blobs.keys)).toEqual(["other"]);
    await makeKey("orders");
    await deletedAtTheLastMoment(1);
    const partial = create({ keys: ["*", { ...gone, name: "other" }, gone] });
    await expect(partial).rejects.toThrow(/1 failed.*: it was there, and when its backup/s);
  });

  it("is a failure, by name, of a resource that was changed and is gone, though a backup of before is kept", async () => {
    await makeKey("orders");
    const resource = { name: "orders", version: "1", updatedOn: "2027-01-01T00:00:00Z", vaultUrl: vault.url };
    const { outs } = await create({ keys: ["*", resource] });
    const changed = { keys: ["*", { ...resource, version: "2" }] };
    await call(vault, "DELETE", "/keys/orders");
    const gone = await update(outs, changed).catch((error: unknown) => error);
    expect(gone).toMatchObject({
      message: expect.stringMatching(/1 failed, the others are kept:\s+key "orders": /),
      properties: { covered: outs.covered, failed: { keys: { orders: expect.any(String) } } },
    });
    // It stays one until a backup is taken, though the program says nothing new.
    const recordedThen = asState(Object(gone).properties);
    await expect(update(recordedThen, changed)).rejects.toThrow(/1 failed/);
    // The resource as it was: what is kept is the last of it.
    expect(await update(outs, { keys: ["*", resource] })).toHaveProperty("failed", { keys: {}, secrets: {} });
    await call(vault, "POST", "/deletedkeys/orders/recover");
    await deletedAtTheLastMoment(1);
    await makeKey("orders");
    await expect(update(outs, changed)).rejects.toThrow(/1 failed.*: it was there, and when its backup/s);
    await call(vault, "POST", "/deletedkeys/orders/recover");
    const taken = await update(recordedThen, changed);
    expect(taken).toHaveProperty("failed", { keys: {}, secrets: {} });
    expect(taken.covered).not.toEqual(outs.covered);
  });

  it("goes on without what a glob finds and is deleted meanwhile, and says so", async () => {
    await makeKey("orders");
    await makeKey("other");
    await deletedAtTheLastMoment(1);
    const { outs } = await create({ keys: "*" });
    expect(Object.keys(outs.blobs.keys)).toHaveLength(1);
    expect(told).toMatch(/deleted meanwhile, and not in the backup of .*: key "/);
    await makeKey("third");
    await deletedAtTheLastMoment(2);
    await expect(create({ keys: "*" })).rejects.toThrow("all 2 objects were deleted meanwhile");
  });

  it("backs up what a list tells in a line that cannot be read, and fails by its name where it cannot be", async () => {
    await makeKey("odd");
    await makeKey("whole");
    let isOdd = false;
    const line = (name: string, more: object) => ({ kid: `${vault.url}/keys/${name}`, attributes: {}, ...more });
    const server = await VaultServer.start(async ({ method, url }) => {
      if (url.startsWith("/secrets")) return { status: 200, body: { value: [] } };
      if (url.startsWith("/keys?")) {
        return { status: 200, body: { value: [line("odd", { tags: 7 }), line("whole", {})] } };
      }
      if (isOdd && method === "GET" && url.startsWith("/keys/odd")) return { status: 200, body: { value: 7 } };
      return { status: 200, body: await call(vault, method, url.replace(/\?.*/, "")) };
    });
    try {
      const inputs = { vaultUrl: server.url, keys: "*", onFailure: "report" };
      const { outs } = await create(inputs);
      expect(Object.keys(outs.blobs.keys)).toEqual(["odd", "whole"]);
      isOdd = true;
      const partly = (await create(inputs)).outs;
      expect(Object.keys(partly.blobs.keys)).toEqual(["whole"]);
      expect(partly).toMatchObject({ failed: { keys: { odd: expect.stringMatching(/^getKey "odd" in /) } } });
    } finally {
      await server.close();
    }
  });

  it("keeps the earlier blob of an object whose later backup fails", async () => {
    await makeKey("a");
    await makeKey("b");
    const { outs } = await create({ keys: "*", onFailure: "report" });
    vault.clock.advance(2_000);
    await makeKey("a");
    vault.faults.add({ kind: "status", status: 400, operation: "backupKey" });
    const later = await update(outs, { keys: "*", onFailure: "report" });
    expect(later.blobs).toEqual(outs.blobs);
    expect(later).toMatchObject({ covered: outs.covered, failed: { keys: { a: expect.any(String) } } });
    expect(await vaultBackup.diff("id", later, later)).toMatchObject({ changes: true });
    vault.faults.clear();
    const healed = await update(later, { keys: "*", onFailure: "report" });
    expect(healed.blobs.keys.a).not.toBe(outs.blobs.keys.a);
    expect((await vaultBackup.diff("id", healed, healed)).changes).toBeUndefined();
  });

  it("takes a resource again whose digest changed, though the vault's moment is the same second", async () => {
    await makeKey("a");
    const resource = { name: "a", version: "1", updatedOn: "2026-01-01T00:00:00Z", vaultUrl: vault.url };
    const { outs } = await create({ keys: [resource] });
    const later = await update(outs, { keys: [{ ...resource, version: "2" }] });
    expect(later.blobs.keys.a).not.toBe(outs.blobs.keys.a);
    expect((await update(later, { keys: [{ ...resource, version: "2" }] })).blobs).toEqual(later.blobs);
  });

  it("knows the version of a disabled secret that was set twice in one second", async () => {
    vault.clock.freeze();
    await call(vault, "PUT", "/secrets/s", { value: "first" });
    const { id } = (await call(vault, "PUT", "/secrets/s", { value: "second" })) as { id: string };
    await call(vault, "PATCH", "/secrets/s", { attributes: { enabled: false } });
    const { outs } = await create({ secrets: "*" });
    expect(outs).toMatchObject({ covered: { secrets: { s: expect.stringContaining(String(id.split("/").at(-1))) } } });
  });

  it("takes a resource again whose name the vault writes in another case", async () => {
    await makeKey("Orders");
    const resource = { name: "orders", version: "1", updatedOn: "2026-01-01T00:00:00Z", vaultUrl: vault.url };
    const { outs } = await create({ keys: [resource] });
    const later = await update(outs, { keys: [{ ...resource, version: "2" }] });
    expect(later.blobs.keys.Orders).not.toBe(outs.blobs.keys.Orders);
  });

  it("takes the files of an interrupted run for what they are", async () => {
    await makeKey("gone");
    await makeKey("here");
    const args = { keys: "*", to: { folder: join(folder, "interrupted") } };
    const { outs } = await create(args);
    const file = (name: string) => join(folder, "interrupted", `${name}.keybackup`);
    // The interrupted run had written later blobs, and no manifest yet.
    for (const name of ["gone", "here"]) {
      const { value } = (await call(vault, "POST", `/keys/${name}/backup`)) as { value: string };
      await writeFile(file(name), value);
    }
    const gone = await readFile(file("gone"), "utf8");
    await call(vault, "DELETE", "/keys/gone");
    const later = await update(outs, args);
    expect(later.covered).toEqual(outs.covered);
    expect(told).not.toContain("lost");
    expect(await readFile(file("gone"), "utf8")).toBe(gone);
    expect((await vaultBackup.read("id", later)).inputs).not.toHaveProperty("stale");
  });
});
