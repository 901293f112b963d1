import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey, type PrivateKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { contents, previewed, READ_ONLY, toldIn, upped, type Watched } from "./drift-routes.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

const OWN = ecKey();
const FOREIGN = ecKey();
const DAY = 86_400_000;
const EXPIRES = Date.parse("2037-01-01T00:00:00Z") / 1000;

let vault: Emulator;
let lines: string[];
beforeEach(async () => {
  vault = await startEmulator({ vaults: [{ name: "emulator", permissions: READ_ONLY }] });
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text).trimEnd()) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

async function watched(type: "Key" | "Secret", program: Arguments): Promise<{ of: Watched; state: State }> {
  const provider = type === "Key" ? key : secret;
  const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
  return { of: { resource, type, lines }, state: await resource.created(program) };
}

const importOutside = ({ jwk }: PrivateKey) => call(vault, "PUT", "/keys/orders", { key: jwk });
const pointOf = ({ outs }: State) => (outs.publicKey as { x?: string }).x;

/** As `pulumi refresh` does, several times. */
async function refreshed({ resource }: Watched, state: State, times: number): Promise<State> {
  let now = state;
  for (let time = 0; time < times; time += 1) now = await resource.refreshed(now);
  nextEngineRun();
  return now;
}

describe("a swapped key", () => {
  const program = { import: { jwk: OWN.jwk } };
  const pipeline = { import: { env: "NOT_AT_HAND" } };

  it("counts as drift for a pipeline without the material, however often it was refreshed", async () => {
    const { of, state } = await watched("Key", program);
    await importOutside(FOREIGN);
    for (const times of [0, 1, 2, 3]) {
      const { report } = await previewed(of, await refreshed(of, state, times), pipeline);
      expect(toldIn(report)).toEqual(["drifted thumbprint"]);
      expect(report.drifted[0]?.changes[0]).toMatchObject({ recorded: state.inputs.thumbprint });
    }
  });

  it.each<[string, Arguments]>([
    ["imports the other key", { import: { jwk: FOREIGN.jwk } }],
    ["adopts what is there in place of importing", { adopt: true }],
  ])(
    "is accepted by a program that %s: nothing is written, and its exports are the other key's",
    async (_how, next) => {
      for (const times of [0, 1, 3]) {
        await call(vault, "DELETE", "/keys/orders").catch(() => undefined);
        await call(vault, "DELETE", "/deletedkeys/orders").catch(() => undefined);
        const { of, state } = await watched("Key", program);
        await importOutside(FOREIGN);
        const outside = await contents(vault);
        const accepted = await upped(of, await refreshed(of, state, times), next);
        expect(await contents(vault)).toEqual(outside);
        expect(pointOf(accepted)).toBe(FOREIGN.jwk.x);
        const { report, isSame } = await previewed(of, accepted, next);
        expect({ told: toldIn(report), isSame }).toEqual({ told: [], isSame: true });
      }
    },
  );

  it("is accepted by ignoreChanges, with which the engine puts in what state has noted", async () => {
    const { of, state } = await watched("Key", program);
    await importOutside(FOREIGN);
    const found = await refreshed(of, state, 1);
    const pinned = { ...program, thumbprint: found.inputs.thumbprint, tags: { team: "orders" } };
    const accepted = await of.resource.updated(found, pinned);
    expect(of.resource.operations()).toEqual(["getKey", "updateKey"]);
    expect(pointOf(accepted)).toBe(FOREIGN.jwk.x);
    expect(await of.resource.drift(accepted)).toEqual({});
  });

  it("goes back to its own material, which drifts no more", async () => {
    const { of, state } = await watched("Key", program);
    await importOutside(FOREIGN);
    const repaired = await upped(of, await refreshed(of, state, 2), program);
    expect(pointOf(repaired)).toBe(OWN.jwk.x);
    expect(toldIn((await previewed(of, repaired, pipeline)).report)).toEqual([]);
  });
});

describe.each<[string, Arguments]>([
  ["adopted", { adopt: true }],
  ["generated", { generate: { keyType: "EC" } }],
])("a version that somebody made of a key that was %s", (_how, program) => {
  it("is accepted by adopting it, and its exports are the other key's", async () => {
    if (program.adopt) await importOutside(OWN);
    const { of, state } = await watched("Key", program);
    await importOutside(FOREIGN);
    const outside = await contents(vault);
    const found = await refreshed(of, state, 2);
    expect(pointOf(found)).toBe(pointOf(state));
    expect(toldIn((await previewed(of, found, program)).report)).toContain("drifted version");
    const accepted = await upped(of, found, { adopt: true });
    expect(await contents(vault)).toEqual(outside);
    expect(pointOf(accepted)).toBe(FOREIGN.jwk.x);
    expect(toldIn((await previewed(of, accepted, { adopt: true })).report)).toEqual([]);
  });
});

describe("what ignoreChanges puts in", () => {
  it.each(["expiresOn", "notBefore"])("of an %s that was set outside is a moment like any other", async (attribute) => {
    const program = { generate: { keyType: "EC" } };
    const { of, state } = await watched("Key", program);
    const moment = attribute === "expiresOn" ? { exp: EXPIRES } : { nbf: EXPIRES };
    await call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { attributes: moment });
    const found = await refreshed(of, state, 2);
    const inputs = await of.resource.checked({ ...program, [attribute]: found.inputs[attribute] }, found.inputs);
    expect(inputs).toEqual({ ...state.inputs, [attribute]: "2037-01-01T00:00:00Z" });
  });

  it("of a version that somebody made is left out, and a program that names one is refused", async () => {
    const program = { generate: { keyType: "EC" } };
    const { of, state } = await watched("Key", program);
    await importOutside(FOREIGN);
    const found = await refreshed(of, state, 1);
    const { version } = found.inputs;
    expect(await of.resource.checked({ ...program, version }, found.inputs)).toEqual(state.inputs);
    expect(await of.resource.refused({ ...program, version: "v" }, found.inputs)).toMatch(/is not a property/);
  });

  it("of another value is that value", async () => {
    const { of, state } = await watched("Secret", { value: "a value" });
    await call(vault, "PUT", "/secrets/orders", { value: "another value" });
    const found = await refreshed(of, state, 1);
    const pinned = { value: "a value", valueDigest: found.inputs.valueDigest, tags: { team: "orders" } };
    const accepted = await of.resource.updated(found, pinned);
    expect(of.resource.operations()).toEqual(["getSecret", "updateSecret"]);
    expect(await of.resource.drift(accepted)).toEqual({});
  });
});

describe("another value of a secret", () => {
  it("is accepted by a program that gives it: nothing is written", async () => {
    const { of, state } = await watched("Secret", { value: "a value" });
    await call(vault, "PUT", "/secrets/orders", { value: "another value" });
    const outside = await contents(vault);
    const found = await refreshed(of, state, 2);
    expect(toldIn((await previewed(of, found, {})).report)).toEqual(["drifted value"]);
    const accepted = await upped(of, found, { value: "another value" });
    expect(await contents(vault)).toEqual(outside);
    expect(toldIn((await previewed(of, accepted, {})).report)).toEqual([]);
  });
});

describe("a digest that state has lost", () => {
  const program = { value: "a value" };
  const lost = (state: State): State => ({
    ...state,
    inputs: { ...state.inputs, valueDigest: null },
    outs: { ...state.outs, valueDigest: null },
  });

  it("is that of the recorded version: a refresh makes it up, and a program without the value is clean", async () => {
    const { of, state } = await watched("Secret", program);
    const found = await refreshed(of, lost(state), 1);
    expect(found.inputs).toEqual(state.inputs);
    const { report, isSame } = await previewed(of, lost(state), {});
    expect({ told: toldIn(report), isSame }).toEqual({ told: [], isSame: true });
  });

  it("hides no version that was made outside, and the next up sets the program's value over another", async () => {
    const { of, state } = await watched("Secret", program);
    await call(vault, "PUT", "/secrets/orders", { value: "another value" });
    const { report } = await previewed(of, lost(state), {});
    expect(toldIn(report)).toContain("drifted version");
    const repaired = await upped(of, lost(state), program);
    expect(of.resource.operations()).toContain("setSecret");
    expect(await of.resource.drift(repaired)).toEqual({});
  });
});

describe("a rotation policy that the program does not declare", () => {
  const rotating = { lifetimeActions: [{ trigger: { timeAfterCreate: "P30D" }, action: { type: "Rotate" } }] };
  const setPolicy = () => call(vault, "PUT", "/keys/orders/rotationpolicy", rotating);

  describe.each<[string, Arguments]>([
    ["an adopted key", { adopt: true }],
    ["a generated key", { generate: { keyType: "EC" } }],
  ])("of %s", (_what, program) => {
    beforeEach(async () => {
      if (program.adopt) await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
    });

    it("explains the version that it made near its due date, which is told and is no drift", async () => {
      const { of, state } = await watched("Key", program);
      await setPolicy();
      vault.clock.advance(31 * DAY);
      const { report, after, isSame } = await previewed(of, state, program);
      expect(after?.outs.version).not.toBe(state.outs.version);
      expect({ told: toldIn(report), isSame }).toEqual({ told: ["unmanaged version"], isSame: true });
      const next = await previewed(of, after ?? state, program);
      expect(toldIn(next.report)).toEqual([]);
    });

    it("explains no version that was there before it", async () => {
      const { of, state } = await watched("Key", program);
      vault.clock.advance(30 * DAY + 60_000);
      await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
      vault.clock.advance(60_000);
      await setPolicy();
      const { report } = await previewed(of, state, program);
      expect(toldIn(report)).toContain("drifted version");
    });

    it("explains no version far from its due date", async () => {
      const { of, state } = await watched("Key", program);
      await setPolicy();
      vault.clock.advance(15 * DAY);
      await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
      const { report } = await previewed(of, state, program);
      expect(toldIn(report)).toContain("drifted version");
    });
  });

  it("hides no expiry that somebody gives to the version that it made", async () => {
    const program = { generate: { keyType: "EC" } };
    const { of, state } = await watched("Key", program);
    await setPolicy();
    vault.clock.advance(31 * DAY);
    const after = await refreshed(of, state, 1);
    await call(vault, "PATCH", `/keys/orders/${after.outs.version}`, { attributes: { exp: EXPIRES } });
    expect(toldIn((await previewed(of, after, program)).report)).toEqual(["drifted expiresOn"]);
  });
});

describe("a rotation policy that the program declares", () => {
  it("hides no expiry that somebody gives to a version that it made, which goes back to its moment", async () => {
    const program = { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P30D", expireAfter: "P90D" } };
    const { of, state } = await watched("Key", program);
    vault.clock.advance(31 * DAY);
    const after = await refreshed(of, state, 1);
    expect(toldIn((await previewed(of, after, program)).report)).toEqual([]);
    await call(vault, "PATCH", `/keys/orders/${after.outs.version}`, { attributes: { exp: EXPIRES } });
    const { report } = await previewed(of, after, program);
    expect(report.drifted[0]?.changes).toMatchObject([
      { property: "expiresOn", consequence: "moves it back to the rotation policy's moment" },
    ]);
    const repaired = await upped(of, after, program);
    expect(toldIn((await previewed(of, repaired, program)).report)).toEqual([]);
  });
});

describe("an update that will be refused", () => {
  it("is told in the preview, in a line of its own resource, and fails no check", async () => {
    const program = { generate: { keyType: "EC" } };
    const { of, state } = await watched("Key", program);
    await call(vault, "PATCH", `/keys/orders/${state.outs.version}`, {
      attributes: { exp: EXPIRES, enabled: false },
      tags: { by: "somebody" },
    });
    const { report } = await previewed(of, state, program);
    expect(lines.filter((line) => line.includes("will be refused"))).toHaveLength(1);
    expect(report.notes).toEqual([]);
    expect(report.drifted[0]?.changes.map(({ property, consequence }) => [property, consequence])).toEqual([
      ["enabled", "nothing: the update of this key fails because of expiresOn"],
      ["expiresOn", expect.stringMatching(/^fails for this key: only new key material would be without it/)],
      ["tags.by", "nothing: the update of this key fails because of expiresOn"],
    ]);
    await expect(upped(of, state, program)).rejects.toThrow(/expiresOn of key "orders" .* cannot be removed/);
  });

  it("of a disabled secret whose value was generated is told, as the vault does not show what it would repeat", async () => {
    const program = { generate: { length: 32 } };
    const { of, state } = await watched("Secret", program);
    await call(vault, "PATCH", `/secrets/orders/${state.outs.version}`, {
      attributes: { exp: EXPIRES, enabled: false },
    });
    const { report } = await previewed(of, state, program);
    expect(report.drifted[0]?.changes.map(({ property, consequence }) => [property, consequence])).toEqual([
      ["enabled", "nothing: the update of this secret fails because of expiresOn"],
      ["expiresOn", expect.stringMatching(/^fails for this secret: the vault does not show the generated value/)],
    ]);
    await expect(upped(of, state, program)).rejects.toThrow(/^KV_INVALID_INPUT: an attribute of secret "orders" /);
    const again = { generate: { length: 32, keepers: { time: "2" } } };
    const renewed = await upped(of, state, again);
    expect(toldIn((await previewed(of, renewed, again)).report)).toEqual([]);
  });
});

describe("an update that will be refused because of what a plain refresh has recorded", () => {
  it.each(["expiresOn", "contentType"])(
    "is told once, of the %s of a disabled secret whose value was generated",
    async (attribute) => {
      const program = { generate: { length: 32 } };
      const { of, state } = await watched("Secret", program);
      const change = attribute === "contentType" ? { contentType: "a/b" } : { attributes: { exp: EXPIRES } };
      await call(vault, "PATCH", `/secrets/orders/${state.outs.version}`, change);
      await call(vault, "PATCH", `/secrets/orders/${state.outs.version}`, { attributes: { enabled: false } });
      const recorded = await refreshed(of, state, 1);
      const { report } = await previewed(of, recorded, program);
      const told = [
        ...report.notes.filter((line) => line.includes("will be refused")),
        ...report.drifted.flatMap(({ changes }) => changes.filter(({ consequence }) => /^fails for/.test(consequence))),
      ];
      expect(told).toHaveLength(1);
      await expect(upped(of, recorded, program)).rejects.toThrow(/^KV_INVALID_INPUT: an attribute of secret "orders" /);
    },
  );
});

describe("what somebody takes back after a plain refresh", () => {
  it.each<[string, Arguments]>([
    ["an imported key", { import: { jwk: OWN.jwk } }],
    ["a generated key", { generate: { keyType: "EC" } }],
  ])("leaves the operations of %s as the program says: no drift, and no request", async (_source, program) => {
    const { of, state } = await watched("Key", program);
    const patch = (key_ops: string[]) => call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { key_ops });
    await patch(["verify"]);
    const recorded = await refreshed(of, state, 1);
    await patch(["sign", "verify"]);
    const { report, isSame } = await previewed(of, recorded, program);
    expect({ isSame, told: toldIn(report) }).toEqual({ isSame: true, told: ["settled keyOps"] });
  });

  it("leaves operations that the program spells as they are, for a pipeline without the material too", async () => {
    const keyOps = ["sign", "verify"];
    const { of, state } = await watched("Key", { import: { jwk: OWN.jwk }, keyOps });
    const patch = (key_ops: string[]) => call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { key_ops });
    await patch(["verify"]);
    const recorded = await refreshed(of, state, 1);
    await patch(keyOps);
    for (const material of [{ jwk: OWN.jwk }, { env: "NOT_AT_HAND" }]) {
      const { report, isSame } = await previewed(of, recorded, { import: material, keyOps });
      expect({ isSame, told: toldIn(report) }).toEqual({ isSame: true, told: ["settled keyOps"] });
    }
  });
});

describe("a generated value that somebody replaced", () => {
  it.each([0, 1, 2])(
    "is told as drift alone, not as a change of the program too, after %i plain refreshes",
    async (times) => {
      const program = { generate: { length: 32 } };
      const { of, state } = await watched("Secret", program);
      await call(vault, "PUT", "/secrets/orders", { value: "another value" });
      const { report } = await previewed(of, await refreshed(of, state, times), program);
      expect({ told: toldIn(report), followUps: report.followUps }).toEqual({ told: ["drifted value"], followUps: [] });
    },
  );
});

describe("a content type that reads like what a refresh notes", () => {
  const read = (value: unknown): Arguments => ({ value: "a value", contentType: value });

  it.each(["json instead of xml", "text (set outside)"])("stays the program's in every later run: %s", async (text) => {
    const { of, state } = await watched("Secret", read(text));
    expect((await of.resource.checked(read(text), state.inputs)).contentType).toBe(text);
    expect(toldIn((await previewed(of, state, read(text))).report)).toEqual([]);
  });

  it.each(["text instead of that", "that instead of text", "text (set outside)"])(
    "is told where somebody set it: %s",
    async (contentType) => {
      const { of, state } = await watched("Secret", read("text"));
      await call(vault, "PATCH", `/secrets/orders/${state.outs.version}`, { contentType });
      const { report } = await previewed(of, state, read("text"));
      expect(report.drifted[0]?.changes).toEqual([
        { property: "contentType", recorded: "text", observed: contentType, consequence: "patches it back" },
      ]);
    },
  );
});
