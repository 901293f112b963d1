import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import {
  asPrincipal,
  contents,
  essence,
  previewed,
  READ_ONLY,
  READER,
  refreshPreviewed,
  toldIn,
  upped,
} from "./drift-routes.js";
import { type Collection, IMPORTED, POLICY, type Setting, SOURCES, type Source, setUp } from "./drift-sources.js";
import type { Arguments } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";

const NOT_BEFORE = "2031-01-01T00:00:00Z";
const EXPIRES_ON = "2036-01-01T00:00:00Z";
const EARLIER = Date.parse("2030-01-01T00:00:00Z") / 1000;
const LATER = Date.parse("2037-01-01T00:00:00Z") / 1000;

/** What somebody does outside, and the arguments of the program that has the attribute. */
interface Change {
  property: string;
  kind: string;
  of?: Collection;
  declared: Arguments;
  patch: Arguments;
}
const CHANGES: Change[] = [
  { property: "enabled", kind: "changed", declared: { enabled: true }, patch: { attributes: { enabled: false } } },
  {
    property: "enabled",
    kind: "back to default",
    declared: { enabled: false },
    patch: { attributes: { enabled: true } },
  },
  { property: "enabled", kind: "added", declared: {}, patch: { attributes: { enabled: false } } },
  {
    property: "notBefore",
    kind: "changed",
    declared: { notBefore: NOT_BEFORE },
    patch: { attributes: { nbf: EARLIER } },
  },
  { property: "notBefore", kind: "added", declared: {}, patch: { attributes: { nbf: EARLIER } } },
  {
    property: "expiresOn",
    kind: "changed",
    declared: { expiresOn: EXPIRES_ON },
    patch: { attributes: { exp: LATER } },
  },
  { property: "expiresOn", kind: "added", declared: {}, patch: { attributes: { exp: LATER } } },
  { property: "tags", kind: "changed", declared: { tags: { team: "orders" } }, patch: { tags: { team: "somebody" } } },
  { property: "tags", kind: "removed", declared: { tags: { team: "orders", a: "b" } }, patch: { tags: { a: "b" } } },
  { property: "tags", kind: "back to default", declared: { tags: { team: "orders" } }, patch: { tags: {} } },
  { property: "tags", kind: "added", declared: {}, patch: { tags: { team: "somebody" } } },
  {
    property: "tags",
    kind: "named __proto__",
    declared: { tags: { team: "orders" } },
    patch: JSON.parse('{"tags":{"team":"orders","__proto__":"x"}}'),
  },
  {
    property: "keyOps",
    kind: "changed",
    of: "keys",
    declared: { keyOps: ["sign", "verify"] },
    patch: { key_ops: ["sign"] },
  },
  {
    property: "keyOps",
    kind: "back to default",
    of: "keys",
    declared: { keyOps: ["sign"] },
    patch: { key_ops: ["sign", "verify"] },
  },
  {
    property: "expiresOn",
    kind: "added under a policy without an expiry",
    of: "keys",
    declared: { rotationPolicy: { rotateAfter: "P90D" } },
    patch: { attributes: { exp: LATER } },
  },
  {
    property: "expiresOn",
    kind: "moved under a policy with an expiry",
    of: "keys",
    declared: { rotationPolicy: POLICY },
    patch: { attributes: { exp: LATER } },
  },
  { property: "keyOps", kind: "added", of: "keys", declared: {}, patch: { key_ops: ["sign"] } },
  {
    property: "contentType",
    kind: "changed",
    of: "secrets",
    declared: { contentType: "text/plain" },
    patch: { contentType: "text/html" },
  },
  { property: "contentType", kind: "added", of: "secrets", declared: {}, patch: { contentType: "text/html" } },
];

/** By the property that has it. An attribute that an adopting program leaves out is no drift. */
const POLICY_CHANGES: [kind: string, declared: Arguments, set: Arguments][] = [
  ["changed", { rotationPolicy: POLICY }, policyBody({ rotateAfter: "P60D", expireAfter: "P1Y" })],
  ["removed", { rotationPolicy: POLICY }, policyBody({})],
  [
    "given an expiry",
    { rotationPolicy: { rotateAfter: "P90D" } },
    policyBody({ rotateAfter: "P90D", expireAfter: "P2Y" }),
  ],
];

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

const patchOf = ({ source, state }: Setting, body: Arguments) =>
  call(vault, "PATCH", `/${source.collection}/orders/${state.outs.version}`, body);

/** Told once and by name on every route, with a consequence that the next `up --refresh` has, and a clean end. */
async function expectTold(setting: Setting, expected: string[], before: Record<string, unknown>): Promise<void> {
  const { watched, program, without, state } = setting;
  const { report } = await previewed(watched, state, program);
  expect(new Set(toldIn(report)).size).toBe(toldIn(report).length);
  expect(roots(toldIn(report))).toEqual(expected);
  const asReader = await asPrincipal(READER, () => previewed(watched, state, without));
  expect(asReader.report).toEqual(report);
  expect(toldIn(await refreshPreviewed(watched, state))).toEqual(toldIn(report));

  // A plain refresh takes attributes over into state; the program then differs from it, and says so by the same name.
  const recorded = await watched.resource.refreshed(state);
  const later = await previewed(watched, recorded, without);
  expect(roots(toldIn(later.report).map((told) => told.replace(/^pending/, "drifted")))).toEqual(
    expected.filter((told) => told.startsWith("drifted")),
  );
  const outside = await contents(vault);
  await expectConsequences(
    setting,
    report.drifted.flatMap(({ changes }) => changes),
    before,
    outside,
  );
}

/** `drifted tags` of `drifted tags.team`. */
function roots(told: readonly string[]): string[] {
  return [...new Set(told.map((each) => each.split(/[.[]/)[0] ?? each))];
}

const FAILS = /^fails|^nothing: the update of this key fails/;
const NOTHING = /^(takes|leaves|records|nothing)/;

async function expectConsequences(
  { watched, program, state }: Setting,
  changes: { consequence: string }[],
  before: Record<string, unknown>,
  outside: Record<string, unknown>,
): Promise<void> {
  const told = changes.map(({ consequence }) => consequence);
  if (told.some((consequence) => FAILS.test(consequence))) {
    await expect(upped(watched, state, program)).rejects.toMatchObject({
      message: expect.stringMatching(/^KV_INVALID_INPUT/),
    });
    expect(await contents(vault)).toEqual(outside);
    return;
  }
  const repaired = await upped(watched, state, program);
  const now = await contents(vault);
  if (told.every((consequence) => NOTHING.test(consequence))) expect(now).toEqual(outside);
  else expect(essence(now, program)).toEqual(essence(before, program));
  const made = Object.keys(now).filter((at) => !(at in outside) && /^\/\w+\/\w+\/\w+$/.test(at));
  expect(made).toHaveLength(told.some((consequence) => /new version/.test(consequence)) ? 1 : 0);
  const second = await previewed(watched, repaired, program);
  expect({ isSame: second.isSame, told: toldIn(second.report), lines }).toEqual({ isSame: true, told: [], lines: [] });
  expect(second.after?.outs.publicKey).toEqual(repaired.outs.publicKey);
}

describe.each(Object.entries(SOURCES))("of %s", (_name, source) => {
  const isLeft = ({ property, declared }: Pick<Change, "property" | "declared">): boolean =>
    source.leavesRest === true && declared[property] === undefined;

  it.each(CHANGES.filter(({ of }) => of === undefined || of === source.collection))(
    "$property $kind is told on every route, and the next up does what is told",
    async (change) => {
      const setting = await setUp(vault, lines, source, change.declared);
      const held = await contents(vault);
      await patchOf(setting, change.patch);
      await expectTold(setting, [`${isLeft(change) ? "unmanaged" : "drifted"} ${change.property}`], held);
    },
  );

  it("other material in its place is told on every route, and the next up does what is told", async () => {
    const setting = await setUp(vault, lines, source, {});
    const held = await contents(vault);
    if (source.collection === "keys") await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
    else await call(vault, "PUT", "/secrets/orders", { value: "another value" });
    await expectTold(
      setting,
      source.material.map((property) => `drifted ${property}`),
      held,
    );
  });

  it("its own material as another version is told on every route, and the next up does what is told", async () => {
    const setting = await setUp(vault, lines, source, {});
    const held = await contents(vault);
    if (source.collection === "secrets") {
      const { value } = (await call(vault, "GET", "/secrets/orders")) as { value: string };
      await call(vault, "PUT", "/secrets/orders", { value });
    } else await call(vault, "PUT", "/keys/orders", { key: IMPORTED.jwk });
    await expectTold(setting, ["drifted version"], held);
  });

  it.each(source.collection === "keys" ? POLICY_CHANGES : [])(
    "a rotation policy that is %s is told on every route, and the next up does what is told",
    async (_kind, declared, body) => {
      const setting = await setUp(vault, lines, source, declared);
      const held = await contents(vault);
      await call(vault, "PUT", "/keys/orders/rotationpolicy", body);
      await expectTold(setting, ["drifted rotationPolicy"], held);
    },
  );

  it.each([
    ["deletion", {}],
    ["deletion, which it is not to be recovered from,", { ifSoftDeleted: "fail" }],
    ["purge", {}],
  ])("its %s is told on every route, and the next up does what is told", async (loss, options) => {
    const setting = await setUp(vault, lines, source, options);
    await call(vault, "DELETE", `/${source.collection}/orders`);
    if (loss === "purge") await call(vault, "DELETE", `/deleted${source.collection}/orders`);
    const { watched, program, state } = setting;
    // Where nothing is left to adopt, no preview of the program is made: the refresh alone tells.
    const refreshed = await asPrincipal(READER, () => refreshPreviewed(watched, state));
    expect(toldIn(refreshed)).toEqual(["drifted "]);
    const isRefused = program.adopt === true && loss === "purge";
    const report = isRefused ? refreshed : (await previewed(watched, state, program)).report;
    expect(toldIn(report)).toEqual(["drifted "]);
    const consequence = report.drifted[0]?.changes[0]?.consequence ?? "";
    expect(consequence.startsWith("fails")).toBe(isRefused || "ifSoftDeleted" in options);
    nextEngineRun();
    if (isRefused) {
      expect(await watched.resource.refused(program)).toMatch(/^KV_NOT_FOUND: there is no \w+ "orders" to adopt/);
      return;
    }
    if (consequence.startsWith("fails")) {
      await expect(upped(watched, state, program)).rejects.toThrow(/^KV_DELETED_RECOVERABLE/);
      return;
    }
    vault.requests.clear();
    const repaired = await upped(watched, state, program);
    const asked = watched.resource.operations();
    const wanted = LOSSES.find(([words]) => words.test(consequence))?.[1] ?? "nothing";
    expect({ consequence, asked }).toEqual({
      consequence,
      asked: expect.arrayContaining([expect.stringMatching(wanted)]),
    });
    const second = await previewed(watched, repaired, program);
    expect({ isSame: second.isSame, told: toldIn(second.report) }).toEqual({ isSame: true, told: [] });
  });
});

/** A policy of which only the authority differs. */
const releasePolicy = (authority: string): string =>
  JSON.stringify({
    version: "1.0.0",
    anyOf: [{ authority: `https://${authority}.attest.azure.net`, allOf: [{ claim: "secure", equals: "true" }] }],
  });
const EXPORTABLE: Record<string, Source> = {
  "a generated key": {
    collection: "keys",
    material: ["version"],
    args: async () => ({
      generate: { keyType: "EC-HSM" },
      exportable: true,
      releasePolicy: { data: releasePolicy("own") },
    }),
  },
  "an imported key": {
    collection: "keys",
    material: ["thumbprint"],
    without: {
      import: { env: "NOT_AT_HAND" },
      hardwareProtected: true,
      exportable: true,
      releasePolicy: { data: releasePolicy("own") },
    },
    args: async () => ({
      import: { jwk: IMPORTED.jwk },
      hardwareProtected: true,
      exportable: true,
      releasePolicy: { data: releasePolicy("own") },
    }),
  },
  "an adopted key": {
    collection: "keys",
    leavesRest: true,
    material: ["thumbprint", "version"],
    args: async (where) => {
      const data = Buffer.from(releasePolicy("own")).toString("base64url");
      const attributes = { exportable: true };
      await call(where, "POST", "/keys/orders/create", { kty: "EC-HSM", attributes, release_policy: { data } });
      return { adopt: true };
    },
  },
};

describe.each(Object.entries(EXPORTABLE))("of %s that can be released", (_name, source) => {
  it("another release policy is told on every route, and the next up does what is told", async () => {
    const setting = await setUp(vault, lines, source, {});
    const held = await contents(vault);
    const data = Buffer.from(releasePolicy("another")).toString("base64url");
    await patchOf(setting, { release_policy: { data } });
    await expectTold(setting, [`${source.leavesRest ? "unmanaged" : "drifted"} releasePolicy`], held);
  });
});

const LOSSES: [RegExp, string][] = [
  [/^recovers/, "^recoverDeleted(Key|Secret)$"],
  [/^imports/, "^importKey$"],
  [/^sets the secret again/, "^setSecret$"],
  [/^restores/, "^restore(Key|Secret)$"],
  [/^generates/, "^(createKey|setSecret)$"],
];

function policyBody({ rotateAfter, expireAfter }: { rotateAfter?: string; expireAfter?: string }): Arguments {
  return {
    lifetimeActions: rotateAfter ? [{ trigger: { timeAfterCreate: rotateAfter }, action: { type: "Rotate" } }] : [],
    ...(expireAfter ? { attributes: { expiryTime: expireAfter } } : {}),
  };
}
