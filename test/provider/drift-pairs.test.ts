import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { canonicalJson } from "../../provider/engine/normal-form.js";
import { call } from "../engine/vault-by-hand.js";
import { contents, essence, previewed, READ_ONLY, toldIn, upped } from "./drift-routes.js";
import { type Collection, IMPORTED, type Setting, SOURCES, type Source, setUp } from "./drift-sources.js";
import type { Arguments } from "./driven-resource.js";

/** Pairs of changes that are tried for each source. `DRIFT_PAIRS=500 DRIFT_SEED=7 vitest run test/provider/drift-pairs.test.ts` tries more. */
const PAIRS = Number(process.env.DRIFT_PAIRS ?? 12);
const SEED = process.env.DRIFT_SEED ?? "drift";

const NOT_BEFORE = ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"];
const EXPIRES_ON = ["2036-01-01T00:00:00Z", "2037-01-01T00:00:00Z"];
const seconds = (moment: string): number => Date.parse(moment) / 1000;

/** What a program may declare, each of it or not. */
const DECLARABLE: [of: Collection | undefined, property: string, values: unknown[]][] = [
  [undefined, "enabled", [true, false]],
  [undefined, "notBefore", NOT_BEFORE],
  [undefined, "expiresOn", EXPIRES_ON],
  [undefined, "tags", [{ team: "orders" }, { team: "orders", tier: "1" }]],
  ["keys", "keyOps", [["sign"], ["sign", "verify"]]],
  ["keys", "rotationPolicy", [{ rotateAfter: "P90D" }]],
  ["secrets", "contentType", ["text/plain"]],
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

/** Something that somebody does to the object by hand. */
type Deed = (collection: Collection, choose: <T>(choices: readonly T[]) => T) => Promise<unknown>;

const patch = async (collection: Collection, body: Arguments): Promise<unknown> =>
  call(vault, "PATCH", `/${collection}/orders/${await currentVersion(collection)}`, body);
const put = (collection: Collection, isOwn: boolean, attributes: Arguments): Promise<unknown> => {
  if (collection === "secrets") return call(vault, "PUT", "/secrets/orders", { value: valueGiven(isOwn), attributes });
  return isOwn
    ? call(vault, "PUT", "/keys/orders", { key: IMPORTED.jwk, attributes })
    : call(vault, "POST", "/keys/orders/create", { kty: "EC", attributes });
};
const valueGiven = (isOwn: boolean): string => (isOwn ? "a value" : "another value");

const DEEDS: Record<string, Deed> = {
  disables: (collection) => patch(collection, { attributes: { enabled: false } }),
  enables: (collection) => patch(collection, { attributes: { enabled: true } }),
  "moves the expiry": (collection, choose) => patch(collection, { attributes: { exp: seconds(choose(EXPIRES_ON)) } }),
  "moves the start": (collection, choose) => patch(collection, { attributes: { nbf: seconds(choose(NOT_BEFORE)) } }),
  "takes all tags": (collection) => patch(collection, { tags: {} }),
  "sets tags": (collection) => patch(collection, { tags: { team: "somebody", __proto__x: "1" } }),
  "sets what it is for": (collection) =>
    patch(collection, collection === "keys" ? { key_ops: ["verify"] } : { contentType: "text/html" }),
  "makes a version of other material": (collection) => put(collection, false, {}),
  "makes a disabled version of other material": (collection) => put(collection, false, { enabled: false }),
  "makes a version of the same material": (collection) => put(collection, true, {}),
  "deletes and recovers": async (collection) => {
    await call(vault, "DELETE", `/${collection}/orders`);
    await call(vault, "POST", `/deleted${collection}/orders/recover`);
  },
  "purges and makes anew": async (collection) => {
    await call(vault, "DELETE", `/${collection}/orders`);
    await call(vault, "DELETE", `/deleted${collection}/orders`);
    await put(collection, true, {});
  },
  "sets a rotation policy": async (collection) => {
    if (collection === "secrets") return;
    const action = { trigger: { timeAfterCreate: "P60D" }, action: { type: "Rotate" } };
    await call(vault, "PUT", "/keys/orders/rotationpolicy", { lifetimeActions: [action] });
  },
};

async function currentVersion(collection: Collection): Promise<string> {
  const held = await contents(vault);
  const { key, id } = held[`current /${collection}/orders`] as { key?: { kid: string }; id?: string };
  return (key?.kid ?? id ?? "").split("/").at(-1) ?? "";
}

/** What the report has to name, by what the vault held before and what it holds now. */
function expectedNames({ source, program, state }: Setting, before: Held, outside: Held, version: string): string[] {
  const [was, is] = [essence(before), essence(outside)];
  const names = Object.keys(is)
    .filter((property) => !["material", "kind", "releasePolicy"].includes(property))
    .filter((property) => canonicalJson(was[property]) !== canonicalJson(is[property]))
    // A policy that the program does not declare is told by an inventory.
    .filter((property) => property !== "rotationPolicy" || program.rotationPolicy !== undefined)
    .map((property) => `${isManaged(source, program, property) ? "drifted" : "unmanaged"} ${property}`);
  if (version === state.outs.version) return names.sort();
  const isDisabledSecret = source.collection === "secrets" && is.enabled === false;
  const isOther = isOtherMaterial(program, before, outside);
  const told = isDisabledSecret ? ["version"] : isOther ? source.material : ["version"];
  return [...names, ...told.map((name) => `drifted ${name}`)].sort();
}

type Held = Record<string, unknown>;

/** The vault shows no value of a disabled secret, but it is known what it was made with. */
function isOtherMaterial({ generate }: Arguments, before: Held, outside: Held): boolean {
  const [was, is] = [before, outside].map((held) => essence(held).material as Held);
  const value = was?.value ?? (generate === undefined ? valueGiven(true) : undefined);
  return is?.x === undefined ? is?.value !== value : is.x !== was?.x;
}

function isManaged({ leavesRest }: Source, program: Arguments, property: string): boolean {
  return !leavesRest || program[property] !== undefined;
}

const roots = (told: readonly string[]): string[] =>
  [...new Set(told.map((each) => each.split(/[.[]/)[0] ?? each))].sort();

describe.each(Object.entries(SOURCES))("two things that somebody does at once to %s", (name, source) => {
  const cases = Array.from({ length: PAIRS }, (_, index) => index);

  it.each(cases)("are each told once by name, and the next up --refresh ends clean: pair %i", async (index) => {
    const random = new SeededRandom(`${SEED} ${name} ${index}`);
    const choose = <T>(choices: readonly T[]): T => choices[Math.floor(random.next() * choices.length)] as T;
    const declared = Object.fromEntries(
      DECLARABLE.filter(([of]) => of === undefined || of === source.collection)
        .filter(() => random.next() < 0.4)
        .map(([, property, values]) => [property, choose(values)]),
    );
    const first = choose(Object.keys(DEEDS));
    const second = choose(Object.keys(DEEDS).filter((deed) => deed !== first));
    const deeds = `somebody ${first} and ${second}; the program declares ${JSON.stringify(declared)}`;

    const setting = await setUp(vault, lines, source, declared);
    const { watched, program, state } = setting;
    const before = await contents(vault);
    for (const deed of [first, second]) {
      vault.clock.advance(2_000);
      await DEEDS[deed]?.(source.collection, choose);
    }
    vault.clock.advance(2_000);
    const outside = await contents(vault);
    const version = await currentVersion(source.collection);

    const { report } = await previewed(watched, state, program);
    const told = toldIn(report);
    expect({ deeds, told: roots(told) }).toEqual({ deeds, told: expectedNames(setting, before, outside, version) });
    expect(new Set(told).size).toBe(told.length);

    const consequences = report.drifted.flatMap(({ changes }) => changes.map(({ consequence }) => consequence));
    if (consequences.some((consequence) => consequence.startsWith("fails"))) {
      await expect(upped(watched, state, program), deeds).rejects.toThrow(/^KV_INVALID_INPUT: .* cannot be removed/);
      expect(await contents(vault)).toEqual(outside);
      return;
    }
    const repaired = await upped(watched, state, program);
    const again = await previewed(watched, repaired, program);
    expect({ deeds, isSame: again.isSame, told: toldIn(again.report) }).toEqual({ deeds, isSame: true, told: [] });
    expectRepaired(setting, deeds, { before, outside, now: await contents(vault) });
  });
});

/** What the program says is as it was, and what it leaves to the vault is as somebody made it. */
function expectRepaired(
  { source, program }: Setting,
  deeds: string,
  { before, outside, now }: { before: Held; outside: Held; now: Held },
): void {
  const [was, did, is] = [essence(before, program), essence(outside, program), essence(now, program)];
  for (const property of Object.keys(is)) {
    const saysMaterial = ["import", "generate", "value"].some((way) => program[way] !== undefined);
    const isProgram = property === "material" ? saysMaterial : isManaged(source, program, property);
    const isVaults = property === "rotationPolicy" && program.rotationPolicy === undefined;
    const expected = isProgram && !isVaults ? was[property] : did[property];
    const isHidden = property === "material" && [was, did, is].some(({ enabled }) => enabled === false);
    if (isHidden && source.collection === "secrets") continue;
    expect({ deeds, [property]: is[property] }).toEqual({ deeds, [property]: expected });
  }
}
