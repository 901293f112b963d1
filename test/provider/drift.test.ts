import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, secret } from "../../provider/dynamic-v1.js";
import { withoutOwnerTag } from "../../provider/object/owner-tag.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import {
  asPrincipal,
  contents,
  previewed,
  READ_ONLY,
  READER,
  refreshPreviewed,
  toldIn,
  upped,
  type Watched,
} from "./drift-routes.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";

const NOT_BEFORE = "2031-01-01T00:00:00Z";
const EXPIRES_ON = "2036-01-01T00:00:00Z";
const EARLIER = Date.parse("2030-01-01T00:00:00Z") / 1000;
const LATER = Date.parse("2037-01-01T00:00:00Z") / 1000;
const POLICY = { rotateAfter: "P90D", expireAfter: "P1Y" };

const folder = mkdtempSync(join(tmpdir(), "drift-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const IMPORTED = ecKey();
const PEM_FILE = join(folder, "orders.pem");
writeFileSync(PEM_FILE, IMPORTED.pkcs8);

type Collection = "keys" | "secrets";

/** Where an object comes from: what the program says, with and without the material, and what the vault held before. */
interface Source {
  collection: Collection;
  args(vault: Emulator): Promise<Arguments>;
  /** What a pipeline without the material says in its place. */
  without?: Arguments;
  /** What the program leaves out is the vault's. */
  leavesRest?: true;
  /** How the program tells other material, or another version, in the place of its own. */
  material: string[];
}

const noArgs = (args: Arguments) => async () => args;
const ofKeys = { collection: "keys" } as const;
const ofSecrets = { collection: "secrets" } as const;
const left = { leavesRest: true } as const;
const SOURCES: Record<string, Source> = {
  "a key imported inline": {
    ...ofKeys,
    args: noArgs({ import: { jwk: IMPORTED.jwk } }),
    without: { import: { env: "NOT_AT_HAND" } },
    material: ["thumbprint"],
  },
  "a key imported from a file": {
    ...ofKeys,
    args: noArgs({ import: { file: PEM_FILE } }),
    without: { import: { file: join(folder, "not-at-hand.pem") } },
    material: ["thumbprint"],
  },
  "a generated key": { ...ofKeys, args: noArgs({ generate: { keyType: "EC" } }), material: ["version"] },
  "a key restored from a blob": {
    ...ofKeys,
    ...left,
    args: async (vault) => ({ restore: { blob: (await backedUp(vault, "keys")).blob } }),
    material: ["thumbprint", "version"],
  },
  "a key restored from a KeyBackup": {
    ...ofKeys,
    ...left,
    args: async (vault) => {
      const { blob, version } = await backedUp(vault, "keys");
      return { restoreFrom: { blob, version, sourceName: "orders" } };
    },
    material: ["thumbprint", "version"],
  },
  "an adopted key": { ...ofKeys, ...left, args: made("keys", { adopt: true }), material: ["thumbprint", "version"] },
  "an adopted key with its material": {
    ...ofKeys,
    ...left,
    args: made("keys", { adopt: true, import: { jwk: IMPORTED.jwk } }),
    without: { adopt: true, import: { env: "NOT_AT_HAND" } },
    material: ["thumbprint"],
  },
  "a secret by value": { ...ofSecrets, args: noArgs({ value: "a value" }), without: {}, material: ["value"] },
  "a generated secret": { ...ofSecrets, args: noArgs({ generate: { length: 32 } }), material: ["value"] },
  "a secret restored from a blob": {
    ...ofSecrets,
    ...left,
    args: async (vault) => ({ restore: { blob: (await backedUp(vault, "secrets")).blob } }),
    material: ["version"],
  },
  "an adopted secret": { ...ofSecrets, ...left, args: made("secrets", { adopt: true }), material: ["version"] },
};

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

interface Setting {
  watched: Watched;
  program: Arguments;
  without: Arguments;
  state: State;
  source: Source;
}

async function setUp(source: Source, declared: Arguments): Promise<Setting> {
  const isKey = source.collection === "keys";
  const resource = new DrivenResource(isKey ? key : secret, vault, { vaultUrl: vault.url, name: "orders" });
  const args = await source.args(vault);
  const program = { ...args, ...declared };
  const state = await resource.created(program);
  const without = { ...(source.without ?? args), ...declared };
  return { watched: { resource, type: isKey ? "Key" : "Secret", lines }, program, without, state, source };
}

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

/** What the current version is like, whichever it is; of generated material only its kind. */
function essence(held: Record<string, unknown>, { generate }: Arguments): unknown {
  const { "current /keys/orders": heldKey, "policy /keys/orders": policy, ...rest } = held as Record<string, Held>;
  const secretHeld = rest["current /secrets/orders"];
  const bundle = heldKey ?? (secretHeld?.value as Held | undefined);
  if (bundle === undefined || typeof bundle === "string") return undefined;
  const { nbf, exp, enabled, created = 0 } = bundle.attributes ?? {};
  const expiryTime = policy?.attributes?.expiryTime;
  const isOfPolicy = expiryTime === "P1Y" && exp !== undefined && Math.abs(exp - created - 365 * 86_400) < 2 * 86_400;
  const { kid: _kid, x, y, ...kind } = bundle.key ?? {};
  return {
    nbf,
    exp: isOfPolicy ? undefined : exp,
    enabled,
    tags: withoutOwnerTag(bundle.tags ?? {}),
    contentType: bundle.contentType,
    value: generate === undefined ? bundle.value : undefined,
    release: bundle.release_policy,
    key: generate === undefined ? { ...kind, x, y } : kind,
    actions: policy?.lifetimeActions,
    expiryTime,
  };
}

interface Held {
  attributes?: { nbf?: number; exp?: number; created?: number; enabled?: boolean; expiryTime?: string };
  key?: Record<string, unknown>;
  tags?: Record<string, string>;
  contentType?: string;
  value?: unknown;
  release_policy?: unknown;
  lifetimeActions?: unknown;
}

describe.each(Object.entries(SOURCES))("of %s", (_name, source) => {
  const isLeft = ({ property, declared }: Pick<Change, "property" | "declared">): boolean =>
    source.leavesRest === true && declared[property] === undefined;

  it.each(CHANGES.filter(({ of }) => of === undefined || of === source.collection))(
    "$property $kind is told on every route, and the next up does what is told",
    async (change) => {
      const setting = await setUp(source, change.declared);
      const held = await contents(vault);
      await patchOf(setting, change.patch);
      await expectTold(setting, [`${isLeft(change) ? "unmanaged" : "drifted"} ${change.property}`], held);
    },
  );

  it("other material in its place is told on every route, and the next up does what is told", async () => {
    const setting = await setUp(source, {});
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
    const setting = await setUp(source, {});
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
      const setting = await setUp(source, declared);
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
    const setting = await setUp(source, options);
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

const LOSSES: [RegExp, string][] = [
  [/^recovers/, "^recoverDeleted(Key|Secret)$"],
  [/^imports/, "^importKey$"],
  [/^sets the secret again/, "^setSecret$"],
  [/^restores/, "^restore(Key|Secret)$"],
  [/^generates/, "^(createKey|setSecret)$"],
];

/** A vault that held the object before the program came to it. */
function made(collection: Collection, args: Arguments) {
  return async (where: Emulator): Promise<Arguments> => {
    if (collection === "keys") await call(where, "PUT", "/keys/orders", { key: IMPORTED.jwk });
    else await call(where, "PUT", "/secrets/orders", { value: "a value" });
    return args;
  };
}

/** The blob of an object that is no longer there. */
async function backedUp(where: Emulator, collection: Collection): Promise<{ blob: string; version: string }> {
  await made(collection, {})(where);
  const { kid, id } = bundleOf(await call(where, "GET", `/${collection}/orders`));
  const { value: blob } = (await call(where, "POST", `/${collection}/orders/backup`)) as { value: string };
  await call(where, "DELETE", `/${collection}/orders`);
  await call(where, "DELETE", `/deleted${collection}/orders`);
  return { blob, version: (kid ?? id ?? "").split("/").at(-1) ?? "" };
}

function bundleOf(answer: unknown): { kid?: string; id?: string } {
  const { id, key: jwk } = answer as { id?: string; key?: { kid: string } };
  return { ...(id ? { id } : {}), ...(jwk ? { kid: jwk.kid } : {}) };
}

function policyBody({ rotateAfter, expireAfter }: { rotateAfter?: string; expireAfter?: string }): Arguments {
  return {
    lifetimeActions: rotateAfter ? [{ trigger: { timeAfterCreate: rotateAfter }, action: { type: "Rotate" } }] : [],
    ...(expireAfter ? { attributes: { expiryTime: expireAfter } } : {}),
  };
}
