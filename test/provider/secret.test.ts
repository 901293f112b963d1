import { SecretClient } from "@azure/keyvault-secrets";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { owned } from "../engine/owned-tags.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { secret } from "./providers.js";

// Here, the digest is what it is in state.
vi.unmock("../../provider/secret/value-digest.js");

const VALUE = "the value 5b7e1c";
const OTHER = "another value 91d0aa";
// The official client cannot write moments after 2038.
const LATER = "2037-01-01T00:00:00Z";

describe("a secret", () => {
  let vault: Emulator;
  let resource: DrivenResource;

  const start = async (timing: "instant" | "short"): Promise<void> => {
    vault = await startEmulator({ timing });
    resource = new DrivenResource(secret, vault, { vaultUrl: vault.url, name: "db" });
  };
  beforeEach(() => start("instant"));
  afterEach(() => vault.close());

  const official = () =>
    new SecretClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
  const versions = async (): Promise<number> => {
    let count = 0;
    for await (const _version of official().listPropertiesOfSecretVersions("db")) count += 1;
    return count;
  };
  const deleted = async (): Promise<void> => {
    await (await official().beginDeleteSecret("db", { intervalInMs: 20 })).pollUntilDone();
  };
  const created = async (args: Arguments): Promise<State> => {
    const state = await resource.created(args);
    vault.requests.clear();
    return state;
  };

  describe("is checked", () => {
    it("in that its value stays in the process and a digest of it goes on, the same in every run and another in every secret", async () => {
      const first = await resource.checked({ value: VALUE });
      expect(first).toEqual({
        vaultUrl: vault.url,
        name: "db",
        valueDigest: expect.stringMatching(/^scrypt:[\w-]{43}$/),
      });
      expect(await resource.checked({ value: VALUE })).toEqual(first);
      expect((await resource.checked({ value: VALUE, name: "other" })).valueDigest).not.toBe(first.valueDigest);
    });

    it("in that its digest is a secret of the state", async () => {
      const { inputs } = await secret.check({}, resource.passed({ value: VALUE }));
      expect(inputs.valueDigest).toHaveProperty("4dabf18193072939515e22adb298388d");
      const { outs } = await secret.create(await resource.checked({ value: VALUE }));
      expect(outs.valueDigest).toHaveProperty("4dabf18193072939515e22adb298388d");
    });

    it("in that a value that a preview does not know yet stays unknown", async () => {
      expect((await resource.checked({ value: UNKNOWN })).valueDigest).toBe(UNKNOWN);
      expect((await resource.checked({ value: VALUE, name: UNKNOWN })).valueDigest).toBe(UNKNOWN);
    });

    it("in that a program without the value keeps the one in state, wherever it is not to be made again", async () => {
      const { inputs } = await created({ value: VALUE });
      expect(await resource.checked({ value: undefined }, inputs)).toEqual(inputs);
      expect(await resource.refused({ value: undefined })).toMatch(/one source.*undefined/);
      expect(await resource.refused({ value: undefined, name: "renamed" }, inputs)).toMatch(/would be replaced/);
    });

    it.each<[string, Arguments, RegExp]>([
      ["a value of 25 KB and a byte", { value: `${"é".repeat(12_800)}x` }, /25601 bytes.*25600/],
      ["a value that is no text", { value: 5 }, /value must be text/],
      ["no source", {}, /one source/],
      ["two sources", { value: VALUE, restore: { blob: "x" } }, /takes one source/],
      ["a content type that is too long", { value: VALUE, contentType: "x".repeat(256) }, /contentType: .*255/],
      [
        "15 tags",
        { value: VALUE, tags: Object.fromEntries([...Array(15).keys()].map((i) => [`t${i}`, ""])) },
        /at most 14 are the program/,
      ],
      ["a bad name", { value: VALUE, name: "a_b" }, /name: must be a secret name/],
      ["an unknown property", { value: VALUE, valeu: VALUE }, /"valeu" is not a property/],
    ])("and refused with %s, which it does not repeat", async (_what, args, problem) => {
      const told = await resource.refused(args);
      expect(told).toMatch(problem);
      expect(told).not.toContain(VALUE);
    });

    it("and told in the preview that the secret to adopt is not there, or belongs to a certificate", async () => {
      expect(await resource.refused({ adopt: true })).toMatch(/no secret "db" to adopt/);
      await official().setSecret("db", VALUE);
      expect(await resource.refused({ adopt: true })).toBe("");
      await official().updateSecretProperties("db", (await official().getSecret("db")).properties.version ?? "", {
        enabled: false,
      });
      expect(await resource.refused({ adopt: true })).toBe("");
      vault.vault("emulator").giveToCertificate("secrets", "db");
      expect(await resource.refused({ adopt: true })).toMatch(/belongs to the certificate/);
    });
  });

  describe("is made", () => {
    it.each([
      ["empty", ""],
      ["of many lines", "-----BEGIN X-----\r\nline\n\n\tline\n-----END X-----\n"],
      ["not ASCII", 'pässwörd \u{1f511} \u0000 \\ "'],
      ["as long as can be", "é".repeat(12_800)],
    ])("with a value that is %s, as it is", async (_what, value) => {
      const state = await created({ value });
      expect((await official().getSecret("db")).value).toBe(value);
      expect(await resource.drift(state)).toEqual({});
      if (value !== "") expect(JSON.stringify(state)).not.toContain(JSON.stringify(value).slice(1, 21));
    });

    it("with a look and a write, and everything that belongs to it", async () => {
      const options = {
        contentType: "text/plain",
        tags: { team: "orders" },
        notBefore: "2020-01-01T00:00:00Z",
        expiresOn: LATER,
      };
      vault.requests.clear();
      const { id, outs } = await resource.created({ value: VALUE, ...options, enabled: false });
      expect(resource.operations()).toEqual(["getSecret", "setSecret"]);
      expect(id).toBe(`${vault.url}/secrets/db`);
      expect(outs).toMatchObject({
        ...options,
        enabled: false,
        recoveryLevel: "Recoverable+Purgeable",
        recoverableDays: 90,
      });
      expect(outs).not.toHaveProperty("value");
    });

    it("of one of this stack that already has the value, without a new version, with its attributes converged", async () => {
      await resource.created({ value: VALUE, tags: { from: "an interrupted run" } });
      const { outs } = await resource.created({ value: VALUE, tags: { team: "orders" }, contentType: "text/plain" });
      const { properties } = await official().getSecret("db");
      expect(properties).toMatchObject({
        tags: owned({ team: "orders" }),
        contentType: "text/plain",
        version: outs.version,
      });
      expect(await versions()).toBe(1);
    });

    it("with one more version where an attribute of the taken secret has to be cleared", async () => {
      await resource.created({ value: VALUE, contentType: "text/html" });
      await resource.created({ value: VALUE });
      expect((await official().getSecret("db")).properties.contentType).toBeUndefined();
      expect(await versions()).toBe(2);
    });

    it("never over a secret that is not the stack's, a disabled one included", async () => {
      const { properties } = await official().setSecret("db", OTHER);
      await expect(resource.created({ value: VALUE })).rejects.toThrow(/already holds a secret.*adopt: true/s);
      await official().updateSecretProperties("db", properties.version ?? "", { enabled: false });
      await expect(resource.created({ value: VALUE })).rejects.toThrow(/already holds a disabled secret/);
      expect(await versions()).toBe(1);
    });

    it("by adoption that is true or false, and no text of it", async () => {
      for (const adopt of ["true", "false"]) {
        expect(await resource.refused({ adopt, value: VALUE })).toMatch(/adopt: must be true or false, and is text/);
      }
    });

    it("by adoption, which keeps what the program leaves out", async () => {
      await official().setSecret("db", OTHER, { tags: { by: "hand" }, contentType: "text/html" });
      const state = await created({ adopt: true, tags: { team: "orders" } });
      expect(state.outs.found).toEqual({ contentType: "text/html" });
      expect(await resource.drift(state)).toEqual({});
      expect((await official().getSecret("db")).value).toBe(OTHER);
      expect(await versions()).toBe(1);
    });

    it("by adoption with a value, which sets it where it is another and keeps the attributes", async () => {
      await official().setSecret("db", OTHER, { contentType: "text/html", expiresOn: new Date(LATER) });
      const state = await created({ adopt: true, value: VALUE });
      const { value, properties } = await official().getSecret("db");
      expect([value, properties.contentType, properties.expiresOn]).toEqual([VALUE, "text/html", new Date(LATER)]);
      expect(await resource.drift(state)).toEqual({});
      expect(await versions()).toBe(2);
    });

    it("of a soft-deleted one that has the value, with the program's attributes", async () => {
      await official().setSecret("db", VALUE, { tags: { old: "yes" } });
      await deleted();
      await resource.created({ value: VALUE, tags: { team: "orders" } });
      expect((await official().getSecret("db")).properties.tags).toEqual(owned({ team: "orders" }));
      expect(await versions()).toBe(1);
    });

    it("of a soft-deleted one that has another value, with one more version", async () => {
      await official().setSecret("db", OTHER, { tags: { old: "yes" }, expiresOn: new Date(LATER) });
      await deleted();
      const { outs } = await resource.created({ value: VALUE });
      const { value, properties } = await official().getSecret("db");
      expect([value, properties.version, properties.tags, properties.expiresOn]).toEqual([
        VALUE,
        outs.version,
        owned(),
        undefined,
      ]);
      expect(await versions()).toBe(2);
    });

    it("of a soft-deleted one that is disabled, which the vault does not show", async () => {
      await official().setSecret("db", OTHER, { enabled: false });
      await official().beginDeleteSecret("db");
      await resource.created({ value: VALUE });
      expect((await official().getSecret("db")).value).toBe(VALUE);
    });

    it("not of a soft-deleted one where the program says so", async () => {
      await official().setSecret("db", VALUE);
      await deleted();
      await expect(resource.created({ value: VALUE, ifSoftDeleted: "fail" })).rejects.toThrow(
        /soft-deleted secret holds/,
      );
    });

    it("once, where the answer to the write is lost", async () => {
      vault.faults.add({ kind: "dropAfter", operation: "setSecret", times: 1 });
      const { outs } = await resource.created({ value: VALUE });
      expect(resource.operations().filter((operation) => operation === "setSecret")).toHaveLength(1);
      expect((await official().getSecret("db")).properties.version).toBe(outs.version);
      expect(await versions()).toBe(1);
    });

    it("as far as it comes: what a failed patch left behind is recorded as it is, so that the next run goes on", async () => {
      await resource.created({ value: VALUE });
      vault.faults.add({ kind: "status", status: 503, operation: "updateSecret", times: 10 });
      const failed = resource.created({ value: VALUE, contentType: "text/plain", tags: { team: "orders" } });
      await expect(failed).rejects.toMatchObject({ id: `${vault.url}/secrets/db`, properties: { name: "db" } });
      await expect(failed).rejects.not.toHaveProperty("properties.tags");
      await expect(failed).rejects.not.toHaveProperty("properties.contentType");
    });
  });

  describe("is made in its own time", () => {
    beforeEach(async () => {
      await vault.close();
      await start("short");
    });

    it("after a deletion that is under way, and a recovery that is", async () => {
      await official().setSecret("db", OTHER);
      await official().beginDeleteSecret("db");
      await resource.created({ value: VALUE });
      expect((await official().getSecret("db")).value).toBe(VALUE);
      expect(await versions()).toBe(2);
    });
  });

  describe("gets from a changed program", () => {
    it.each<[string, Arguments, Arguments, string[]]>([
      ["a version for a value", {}, { value: OTHER }, ["getSecret", "setSecret"]],
      ["a patch for tags", { tags: { a: "1" } }, { tags: { b: "2" } }, ["getSecret", "updateSecret"]],
      ["a patch for tags that go", { tags: { a: "1" } }, {}, ["getSecret", "updateSecret"]],
      ["a patch for enabled", {}, { enabled: false }, ["updateSecret"]],
      [
        "a patch for an expiry that moves",
        { expiresOn: LATER },
        { expiresOn: "2036-01-01T00:00:00Z" },
        ["updateSecret"],
      ],
      ["a patch for a content type", { contentType: "a/b" }, { contentType: "c/d" }, ["updateSecret"]],
      ["a version for an expiry that goes", { expiresOn: LATER }, {}, ["getSecret", "setSecret"]],
      ["a version for a content type that goes", { contentType: "a/b" }, {}, ["getSecret", "setSecret"]],
      ["one version for both", { contentType: "a/b" }, { value: OTHER, tags: { a: "1" } }, ["getSecret", "setSecret"]],
      ["nothing for behaviour", {}, { onDelete: "retain", ifSoftDeleted: "fail", timeouts: { create: "5m" } }, []],
    ])("%s", async (_what, before, after, expected) => {
      const state = await resource.updated(await created({ value: VALUE, ...before }), { value: VALUE, ...after });
      expect(resource.operations()).toEqual(expected);
      expect(await resource.drift(state)).toEqual({});
    });

    it("a failure that says so where a version is needed and the value is not at hand", async () => {
      const state = await created({ value: VALUE, contentType: "a/b" });
      const inputs = {
        ...(await resource.checked({}, state.inputs)),
        valueDigest: "scrypt:from-a-process-that-is-gone",
      };
      await expect(secret.update(state.id, state.outs, inputs)).rejects.toThrow(/its value is not at hand/);
    });

    it("another name, and so another secret", async () => {
      const { inputs } = await created({ value: VALUE });
      const renamed = await resource.checked({ value: VALUE, name: "moved" }, inputs);
      expect(await secret.diff("", inputs, renamed)).toMatchObject({ replaces: ["name"], deleteBeforeReplace: false });
    });
  });

  describe("tells what left the recorded state", () => {
    it("nothing of a secret that nobody touched, for one request", async () => {
      const state = await created({ value: VALUE, tags: { a: "1" }, expiresOn: LATER, contentType: "a/b" });
      expect(await resource.drift(state)).toEqual({});
      expect(resource.operations()).toEqual(["getSecret"]);
    });

    it("attributes, each by name, of a disabled secret too", async () => {
      const state = await created({ value: VALUE, tags: { a: "1" } });
      await official().updateSecretProperties("db", String(state.outs.version), {
        enabled: false,
        tags: { by: "hand" },
        contentType: "text/html",
        expiresOn: new Date(LATER),
      });
      const found = { enabled: false, tags: { by: "hand" }, contentType: "text/html", expiresOn: LATER };
      expect(await resource.drift(state)).toEqual(found);
    });

    it("another value by its digest alone, also to a pipeline that has not the value, and takes it back", async () => {
      const state = await created({ value: VALUE });
      await official().setSecret("db", OTHER);
      const observed = await resource.refreshed(state);
      expect(observed.inputs.valueDigest).toMatch(/^scrypt:/);
      expect(observed.inputs.valueDigest).not.toBe(state.inputs.valueDigest);
      expect(JSON.stringify(observed)).not.toContain(OTHER);
      const again = await resource.refreshed(observed);
      expect((await resource.checked({}, again.inputs)).valueDigest).toBe(state.inputs.valueDigest);
      const repaired = await resource.updated(observed, { value: VALUE });
      expect(resource.operations()).toEqual(["getSecret", "setSecret"]);
      expect((await official().getSecret("db")).value).toBe(VALUE);
      expect(await resource.drift(repaired)).toEqual({});
    });

    it("nothing any more once the value was put back by hand, but for the version", async () => {
      const state = await created({ value: VALUE });
      await official().setSecret("db", OTHER);
      const observed = await resource.refreshed(state);
      await official().setSecret("db", VALUE);
      const { inputs } = await resource.refreshed(observed);
      expect(inputs).toEqual({ ...state.inputs, version: expect.stringMatching(/^[0-9a-f]{32}$/) });
    });

    it("the same value set once more by its version, which the next up takes for its own", async () => {
      const state = await created({ value: VALUE });
      await official().setSecret("db", VALUE);
      expect(await resource.drift(state)).toEqual({ version: expect.stringMatching(/^[0-9a-f]{32}$/) });
      const taken = await resource.updated(await resource.refreshed(state), { value: VALUE });
      expect(resource.operations()).toEqual([]);
      expect(await resource.drift(taken)).toEqual({});
    });

    it("a version of another value that is disabled by its version, since nothing can read it", async () => {
      const state = await created({ value: VALUE });
      await official().setSecret("db", OTHER, { enabled: false });
      expect(await resource.drift(state)).toEqual({ enabled: false, version: expect.stringMatching(/^[0-9a-f]{32}$/) });
    });

    it("that the secret is gone only where the vault says so", async () => {
      const state = await created({ value: VALUE });
      for (const status of [403, 500]) {
        vault.faults.add({ kind: "status", status, operation: "getSecret" });
        vault.faults.add({ kind: "status", status, operation: "getSecretVersions" });
        const outs = { ...state.outs, timeouts: { read: "1s" } };
        await expect(secret.read(state.id, outs)).rejects.toThrow();
        vault.faults.clear();
      }
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      await deleted();
      expect(await secret.read(state.id, state.outs)).toMatchObject({ id: "" });
      expect(told.mock.calls.join()).toMatch(/"db" .* is soft-deleted since .* can be recovered until/);
      told.mockRestore();
    });
  });

  describe("goes as its onDelete says", () => {
    it.each([
      ["retain", {}, []],
      ["disable", {}, ["getSecret", "updateSecret"]],
      ["delete", {}, ["getSecret", "deleteSecret"]],
      ["purge", {}, ["getSecret", "deleteSecret", "purgeDeletedSecret"]],
      ["purge", { enabled: false }, ["getSecret", "getSecretVersions", "deleteSecret", "purgeDeletedSecret"]],
    ])("%s", async (onDelete, extra, expected) => {
      const { id, outs } = await created({ value: VALUE, onDelete, ...extra });
      nextEngineRun();
      await secret.delete(id, outs);
      expect(resource.operations()).toEqual(expected);
      nextEngineRun();
      await secret.delete(id, outs);
    });

    it("and is deleted once where the answer is lost, disabled or not", async () => {
      for (const enabled of [true, false]) {
        const { id, outs } = await created({ value: VALUE, name: `db-${enabled}`, enabled });
        vault.faults.add({ kind: "dropAfter", operation: "deleteSecret", times: 1 });
        nextEngineRun();
        await secret.delete(id, outs);
        await expect(official().getSecret(`db-${enabled}`)).rejects.toMatchObject({ statusCode: 404 });
      }
    });

    it("and says when it is made, and in the preview of a change, that a vault with purge protection does not purge", async () => {
      await vault.close();
      vault = await startEmulator({ vaults: [{ name: "emulator", purgeProtection: true }] });
      resource = new DrivenResource(secret, vault, { vaultUrl: vault.url, name: "db" });
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      const { id, outs } = await created({ value: VALUE, onDelete: "purge" });
      expect(told.mock.calls.join()).toMatch(/purge protection is on/);
      told.mockClear();
      await secret.diff(id, { ...outs, onDelete: undefined }, outs);
      expect(told.mock.calls.join()).toMatch(/will only delete it/);
      nextEngineRun();
      await secret.delete(id, outs);
      expect(resource.operations()).toEqual(["getSecret", "deleteSecret"]);
      told.mockRestore();
    });
  });
});
