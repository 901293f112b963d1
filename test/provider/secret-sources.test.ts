import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { generateValue } from "../../provider/secret/generated-value.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { secret } from "./providers.js";

// Here, the digest is what it is in state.
vi.unmock("../../provider/secret/value-digest.js");

const VALUE = "the value 5b7e1c";
const folder = mkdtempSync(join(tmpdir(), "secret-sources-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

const valueInVault = async (): Promise<string> => Object(await call(vault, "GET", "/secrets/db")).value;
const versions = async (): Promise<number> => Object(await call(vault, "GET", "/secrets/db/versions")).value.length;
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const created = async (args: Arguments): Promise<State> => {
  const state = await resource.created(args);
  vault.requests.clear();
  return state;
};
const preview = async (state: State, args: Arguments): Promise<Arguments> => {
  const inputs = await resource.checked(args, state.inputs);
  told = "";
  await secret.diff(state.id, state.outs, inputs);
  return inputs;
};

describe("a value that the provider reads by itself", () => {
  it.each([
    ["an environment variable", () => ({ env: "DB_VALUE" })],
    ["a file", () => ({ file: file("value.txt", VALUE) })],
  ])("comes from %s, and leaves the digest that it has inline", async (_what, source) => {
    vi.stubEnv("DB_VALUE", VALUE);
    const state = await created({ value: source() });
    expect(await valueInVault()).toBe(VALUE);
    expect(state.inputs).toEqual(await resource.checked({ value: VALUE }));
    expect(JSON.stringify(state)).not.toMatch(/DB_VALUE|value\.txt|5b7e1c/);
  });

  it("is the whole file, its last line break and what is not ASCII included", async () => {
    const text = "\u{feff}pässwörd \u{1f511}\r\n";
    await created({ value: { file: file("whole.txt", text) } });
    expect(await valueInVault()).toBe(text);
  });

  it.each<[string, () => Arguments]>([
    ["whose variable is not set", () => ({ env: "DB_VALUE_NOWHERE" })],
    ["whose variable is empty, as a pipeline sets one that it has not", () => ({ env: "DB_EMPTY" })],
    ["whose file does not exist", () => ({ file: join(folder, "nowhere.txt") })],
    ["whose file is empty", () => ({ file: file("empty.txt", "") })],
  ])("leaves the preview of a pipeline clean %s, and is told in a first run", async (_what, source) => {
    vi.stubEnv("DB_EMPTY", "");
    const state = await created({ value: VALUE });
    expect(await resource.checked({ value: source() }, state.inputs)).toEqual(state.inputs);
    expect(await resource.drift(state)).toEqual({});
    expect(await resource.refused({ value: source() })).toMatch(
      /^KV_INVALID_INPUT: value: it is not at hand: .+(set|empty|exist)$/,
    );
    expect(await resource.refused({ value: source(), name: "renamed" }, state.inputs)).toMatch(/would be replaced/);
  });

  it("drifts without it, and fails where it would have to be set", async () => {
    const made = await created({ value: VALUE });
    // The digest of a value that no run of this process has had.
    const valueDigest = `scrypt:${"A".repeat(43)}`;
    const state = { ...made, inputs: { ...made.inputs, valueDigest }, outs: { ...made.outs, valueDigest } };
    await call(vault, "PUT", "/secrets/db", { value: "set outside" });
    const found = await resource.refreshed(state);
    expect(found.inputs.valueDigest).toMatch(/ instead of /);
    const inputs = await resource.checked({ value: { env: "DB_VALUE_NOWHERE" } }, found.inputs);
    expect(inputs).toEqual(state.inputs);
    await expect(secret.update(state.id, found.outs, inputs)).rejects.toThrow(/its value is not at hand/);
    expect(await versions()).toBe(2);
  });

  it.each<[string, unknown, RegExp]>([
    ["a value in the place of the variable's name", { env: "hunter2 & co" }, /env has to hold the name/],
    ["a value in the place of the path", { file: '{"key": "hunter2"}' }, /file has to hold a path/],
    ["two places", { env: "A", file: "b" }, /value: must be text, \{ env/],
    ["no place", {}, /value: must be text, \{ env/],
    ["another place", { path: "hunter2" }, /value: must be text, \{ env/],
    ["a place that is no text", { env: 5 }, /value: must be text, \{ env/],
    ["a list", ["hunter2"], /value must be text, \{ env.* a list of 1/],
    ["a folder", { file: folder }, /it is a folder/],
    ["bytes that are no text", { file: file("bytes.bin", Buffer.from([0xff, 0xfe, 0x00])) }, /not UTF-8 text.*base64/],
    [
      "a file of 25 KB and a byte",
      { file: file("large.txt", "x".repeat(25_601)) },
      /of file .*large\.txt" has 25601 bytes/,
    ],
    ["a file of more than anybody means", { file: file("huge.txt", "x".repeat(1_100_000)) }, /larger than 1 MiB/],
  ])("is refused with %s, which is not repeated", async (_what, value, problem) => {
    const reasons = await resource.refused({ value });
    expect(reasons).toMatch(problem);
    expect(reasons).toMatch(/^KV_INVALID_INPUT: /);
    expect(reasons).not.toContain("hunter2");
  });

  it("may be unknown in a preview", async () => {
    expect(await resource.checked({ value: { env: UNKNOWN } })).toMatchObject({ valueDigest: UNKNOWN });
  });
});

describe("a generated value", () => {
  it.each<[string, Arguments, RegExp]>([
    ["letters and digits", { length: 40 }, /^[0-9A-Za-z]{40}$/],
    ["given characters", { length: 64, characters: "01é\u{1f511}" }, /^[01é\u{1f511}]{64}$/u],
    ["bytes in base64", { bytes: 32, encoding: "base64" }, /^[\w+/]{43}=$/],
    ["bytes in base64url", { bytes: 32, encoding: "base64url" }, /^[\w-]{43}$/],
    ["bytes in hexadecimal digits", { bytes: 32, encoding: "hex" }, /^[0-9a-f]{64}$/],
  ])("is made of %s, and stands in the vault alone", async (_what, generate, shape) => {
    const state = await created({ generate });
    const value = await valueInVault();
    expect(value).toMatch(shape);
    expect(JSON.stringify(state)).not.toContain(value);
    expect(told).not.toContain(value);
    expect(state.inputs).not.toHaveProperty("valueDigest");
    expect(state.outs).toMatchObject({ generate, valueDigest: expect.stringMatching(/^scrypt:/) });
    expect(await resource.drift(state)).toEqual({});
  });

  it("takes every character as often as every other", () => {
    const characters = "abcdefghijklmnopqrstuvwxyz0123456789!-_";
    const counts = new Map<string, number>();
    const length = 25_600;
    for (let made = 0; made < 8; made += 1) {
      for (const character of generateValue({ length, characters })) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    const expected = (8 * length) / characters.length;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(counts.size).toBe(characters.length);
    // 38 degrees of freedom: beyond 100 once in ten million runs. A byte modulo 39 gives some 4,000.
    expect(chiSquare).toBeLessThan(100);
  });

  it("is another one for each secret", async () => {
    await created({ generate: { length: 32 } });
    const first = await valueInVault();
    await created({ generate: { length: 32 }, name: "other" });
    expect(Object(await call(vault, "GET", "/secrets/other")).value).not.toBe(first);
  });

  it.each<[string, Arguments, Arguments]>([
    [
      "the default spelled out",
      { length: 32 },
      {
        length: 32,
        characters: [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"].reverse().join(""),
      },
    ],
    ["its characters in another order", { length: 99, characters: "abc" }, { length: 99, characters: "cab" }],
    ["keepers that are none", { length: 32 }, { length: 32, keepers: {} }],
  ])("stays where a program has %s", async (_what, generate, spelled) => {
    const state = await created({ generate });
    expect(await preview(state, { generate: spelled })).toEqual(state.inputs);
    expect(told).toBe("");
  });

  it.each<[string, Arguments]>([
    ["keepers", { length: 32, keepers: { year: "2028" } }],
    ["length", { length: 40, keepers: { year: "2027" } }],
    ["characters", { length: 32, characters: "abcdef", keepers: { year: "2027" } }],
    ["form", { bytes: 24, encoding: "base64", keepers: { year: "2027" } }],
  ])("is made anew where its %s changes, which the preview says", async (_what, generate) => {
    const state = await created({ generate: { length: 32, keepers: { year: "2027" } } });
    const before = await valueInVault();
    await preview(state, { generate });
    expect(told).toBe(`secret "db" in ${vault.url} gets a new generated value\n`);
    const next = await resource.updated(state, { generate });
    expect(resource.operations()).toEqual(["getSecret", "setSecret"]);
    expect(await valueInVault()).not.toBe(before);
    expect(next.outs.valueDigest).not.toBe(state.outs.valueDigest);
    expect(await resource.drift(next)).toEqual({});
    expect(await versions()).toBe(2);
  });

  it("stays through a change of attributes, and where one is cleared by a new version", async () => {
    const generate = { length: 32 };
    let state = await created({ generate, contentType: "text/plain" });
    const value = await valueInVault();
    const { valueDigest } = state.outs;
    state = await resource.updated(state, { generate, contentType: "text/html", tags: { team: "orders" } });
    expect(resource.operations()).toEqual(["getSecret", "updateSecret"]);
    state = await resource.updated(state, { generate, onDelete: "retain" });
    expect(state.outs.valueDigest).toBe(valueDigest);
    expect(await versions()).toBe(2);
    expect(await valueInVault()).toBe(value);
    expect(state.outs.contentType).toBeUndefined();
    expect(await resource.drift(state)).toEqual({});
  });

  it("is not repeated in a new version where it cannot be read, and not made anew for that either", async () => {
    const generate = { length: 32 };
    const state = await created({ generate, contentType: "text/plain", enabled: false });
    await expect(resource.updated(state, { generate, enabled: false })).rejects.toThrow(
      /KV_INVALID_INPUT.*cannot be removed.*cannot be read.*keepers/s,
    );
    expect(await versions()).toBe(1);
  });

  it("is told as drift where somebody sets another, and made anew: whoever set it knows it", async () => {
    const generate = { length: 32 };
    const state = await created({ generate });
    await call(vault, "PUT", "/secrets/db", { value: "set outside" });
    expect(Object.keys(await resource.drift(state))).toEqual(["valueDigest"]);
    const found = await resource.refreshed(await resource.refreshed(state));
    await preview(found, { generate });
    expect(told).toMatch(/gets a new generated value: its value was changed outside/);
    const next = await resource.updated(found, { generate });
    expect(await valueInVault()).toMatch(/^\w{32}$/);
    expect(await versions()).toBe(3);
    expect(await resource.drift(next)).toEqual({});
    expect(next.outs).not.toHaveProperty("expectedValueDigest");
  });

  it("is taken where somebody set the same value as a version of its own", async () => {
    const generate = { length: 32 };
    const state = await created({ generate });
    await call(vault, "PUT", "/secrets/db", { value: await valueInVault() });
    expect(Object.keys(await resource.drift(state))).toEqual(["version"]);
    const next = await resource.updated(await resource.refreshed(state), { generate });
    expect(await versions()).toBe(2);
    expect(next.outs.valueDigest).toBe(state.outs.valueDigest);
    expect(await resource.drift(next)).toEqual({});
  });

  it("is what an interrupted run has made: it is taken as it is, disabled or not", async () => {
    const generate = { length: 32 };
    await created({ generate });
    const value = await valueInVault();
    const again = await resource.created({ generate, tags: { team: "orders" } });
    expect(await valueInVault()).toBe(value);
    expect(again.outs.valueDigest).toMatch(/^scrypt:/);

    await resource.created({ generate, enabled: false });
    const hidden = await resource.created({ generate, enabled: false });
    expect(hidden.outs).not.toHaveProperty("valueDigest");
    await call(vault, "PATCH", `/secrets/db/${hidden.outs.version}`, { attributes: { enabled: true } });
    expect((await resource.refreshed(hidden)).outs.valueDigest).toBe(again.outs.valueDigest);
    expect(await versions()).toBe(1);
  });

  it("is not what an interrupted run has made of another recipe", async () => {
    await created({ generate: { length: 32 } });
    await expect(resource.created({ generate: { length: 33 } })).rejects.toThrow(/KV_ALREADY_EXISTS/);
  });

  it("is the one that the interrupted update has made", async () => {
    const state = await created({ generate: { length: 32 } });
    const generate = { length: 32, keepers: { year: "2028" } };
    await resource.updated(state, { generate });
    const value = await valueInVault();
    const next = await resource.updated(state, { generate });
    expect(await valueInVault()).toBe(value);
    expect(await resource.drift(next)).toEqual({});
    expect(await versions()).toBe(2);
  });

  it("comes back with a secret that was deleted, and is another one where the engine replaces it", async () => {
    const generate = { length: 32 };
    const state = await created({ generate });
    const value = await valueInVault();
    await resource.deleted(state);
    nextEngineRun();
    vault.requests.clear();
    const recovered = await resource.created({ generate });
    expect(resource.operations()).toEqual([
      "getSecret",
      "setSecret",
      "getDeletedSecret",
      "recoverDeletedSecret",
      "getSecret",
    ]);
    expect(await valueInVault()).toBe(value);
    expect(recovered.outs.valueDigest).toBe(state.outs.valueDigest);

    await resource.checked({ generate }, recovered.inputs);
    await secret.delete(recovered.id, recovered.outs);
    await resource.created({ generate });
    expect(await valueInVault()).not.toBe(value);
  });

  it("takes the place of the program's own, and gives it back", async () => {
    const state = await created({ value: VALUE });
    const made = await resource.updated(state, { generate: { length: 32 } });
    expect(await valueInVault()).toMatch(/^\w{32}$/);
    const given = await resource.updated(made, { value: VALUE });
    expect(await valueInVault()).toBe(VALUE);
    expect(given.outs).not.toHaveProperty("generate");
    expect(await resource.drift(given)).toEqual({});
  });

  it("is known only in part in a preview", async () => {
    const generate = { length: 32, keepers: { year: UNKNOWN } };
    const state = await created({ generate: { length: 32 } });
    expect((await preview(state, { generate })).generate).toEqual(generate);
    expect(told).toBe("");
    expect(await resource.checked({ generate: UNKNOWN })).toMatchObject({ generate: UNKNOWN });
  });

  it.each<[string, unknown, RegExp]>([
    ["no map", 32, /generate: must be \{ length: 32 \}.*a number/],
    ["nothing", {}, /length must be a whole number/],
    ["a length that is none", { length: 1.5 }, /length must be a whole number/],
    ["a length of text", { length: "32" }, /length must be a whole number/],
    ["a value that can be guessed", { length: 10 }, /59 bits.*at least 64.*a length of 11/],
    ["a PIN", { length: 6, characters: "0123456789" }, /19 bits.*a length of 20/],
    ["few bytes", { bytes: 7, encoding: "hex" }, /56 bits.*bytes of 8/],
    ["one character", { length: 99, characters: "a" }, /at least 2 different characters, and has 1/],
    ["a character twice", { length: 99, characters: "abca" }, /more than once/],
    ["characters that cannot be printed", { length: 99, characters: "ab\n" }, /cannot be printed/],
    ["characters that are no text", { length: 99, characters: 7 }, /characters must be text/],
    ["bytes without an encoding", { bytes: 32 }, /encoding must be one of base64, base64url, hex/],
    ["an encoding without bytes", { encoding: "hex" }, /bytes must be a whole number/],
    ["both forms", { length: 32, bytes: 32, encoding: "hex" }, /takes length and characters, or bytes and encoding/],
    ["a value of more than 25 KB", { bytes: 20_000, encoding: "hex" }, /up to 40000 bytes/],
    ["more than 25 KB of wide characters", { length: 25_000, characters: "aé" }, /up to 50000 bytes/],
    ["an unknown member", { length: 32, special: true }, /"special" is not a member of generate/],
    ["keepers that are no texts", { length: 32, keepers: { year: 2027 } }, /keepers must be a map of text to text/],
  ])("is refused with %s", async (_what, generate, problem) => {
    expect(await resource.refused({ generate })).toMatch(problem);
  });

  it.each<[string, unknown]>([
    ["a length", { length: "hunter2" }],
    ["characters", { length: 99, characters: ["hunter2"] }],
    ["an encoding", { bytes: 32, encoding: "hunter2" }],
    ["keepers", { length: 32, keepers: ["hunter2"] }],
    ["a member", { length: 32, "hunter2 & co": 1 }],
    ["the recipe", "hunter2"],
  ])("is refused with a secret in the place of %s, which is not repeated", async (_what, generate) => {
    expect(await resource.refused({ generate })).toMatch(/^KV_INVALID_INPUT: generate: /);
    expect(await resource.refused({ generate })).not.toContain("hunter2");
  });

  it("is the only source", async () => {
    expect(await resource.refused({ generate: { length: 32 }, value: VALUE })).toMatch(/takes one source/);
    expect(await resource.refused({ generate: { length: 32 }, adopt: true })).toMatch(/takes one source/);
  });
});
