import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { OWNER_TAG } from "../../provider/object/owner-tag.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { wiredProvider } from "../plugin/wired-provider.js";
import type { Arguments } from "./driven-resource.js";
import { holdings, LossyConnection, LossyProgram, losses } from "./lossy-run.js";
import { key, keyBackup, keySet, secret, secretBackup, vaultBackup } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (_url: string): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({
  vaultClient: async (vaultUrl: string) => wire.connect(vaultUrl),
}));

type Collection = "keys" | "secrets";
type Held = Record<string, unknown>;

/** A run in which one operation's answer is lost. */
interface Scenario {
  operation: string;
  /** Another one, after which that one's next request is meant. */
  follows?: string;
  provider: DynamicProvider;
  collection: Collection;
  /** Whether the resource has no name of its own. */
  isOfMany?: true;
  /** The run before, after which nothing is lost. */
  before?: Arguments;
  /** Done between the two runs; gives what the second run's program needs. */
  between?: (program: LossyProgram, vault: Emulator) => Promise<Arguments>;
  /** The program of the run; undefined where it has lost the resource. */
  after: Arguments | undefined;
  /** What the vault holds when everything has come out right. */
  goal: Held;
  /** What somebody else does in the moment before the request. */
  foreign: (vault: Emulator) => Promise<unknown>;
  /** What the vault holds then, for good. */
  goalWithForeign: Held;
  /** Whether the next run makes the program's version over that of somebody else, where the first one has stopped. */
  goesOver?: true;
}

const NAME = "orders";
const jwk = ecKey().jwk;
const anotherStack = { [OWNER_TAG]: "shop/dev AAAAAAAAAAAAAAAA" };
const imported = { import: { jwk } };
const importedNext = { import: { jwk: ecKey().jwk } };
const generated = { generate: { keyType: "EC" } };
const generatedNext = { generate: { keyType: "EC", keepers: { year: "2027" } } };
const value = { value: "a value" };
const nextValue = { value: "another value" };
const tags = { tags: { team: "orders" } };

const makeForeignKey = (vault: Emulator) => call(vault, "POST", `/keys/${NAME}/create`, { kty: "EC" });
const makeForeignSecret = (vault: Emulator) => call(vault, "PUT", `/secrets/${NAME}`, { value: "somebody else's" });
const mark = (collection: Collection) => (vault: Emulator) =>
  call(vault, "PATCH", `/${collection}/${NAME}`, { tags: anotherStack });
const recoverAndMark = (collection: Collection) => async (vault: Emulator) => {
  await call(vault, "POST", `/deleted${collection}/${NAME}/recover`);
  return mark(collection)(vault);
};
const remove = async (program: LossyProgram) => {
  await program.up(undefined);
};
const backedUp = (collection: Collection, source: Arguments) => async (program: LossyProgram, vault: Emulator) => {
  const { value: blob } = (await call(vault, "POST", `/${collection}/${NAME}/backup`)) as { value: string };
  const version = program.state?.outs.version;
  await program.up({ ...source, onDelete: "purge" });
  await program.up(undefined);
  return { restoreFrom: { blob, sourceName: NAME, version } };
};
const removed = (args: Arguments) => async (program: LossyProgram) => {
  await remove(program);
  return args;
};

const ofKeys = { provider: key, collection: "keys", foreign: makeForeignKey } as const;
const ofSecrets = { provider: secret, collection: "secrets", foreign: makeForeignSecret } as const;
const one = { [NAME]: 1 };
const two = { [NAME]: 2 };
const three = { [NAME]: 3 };
const disabled = { [NAME]: "disabled" };
const deleted = { [NAME]: "deleted" };

const keyScenarios: Record<string, Scenario> = {
  importKey: { ...ofKeys, operation: "importKey", after: imported, goal: one, goalWithForeign: one },
  "importKey, next version": {
    ...ofKeys,
    operation: "importKey",
    before: imported,
    after: importedNext,
    goal: two,
    goalWithForeign: three,
  },
  createKey: { ...ofKeys, operation: "createKey", after: generated, goal: one, goalWithForeign: one },
  "createKey, next version": {
    ...ofKeys,
    operation: "createKey",
    before: generated,
    after: generatedNext,
    goal: two,
    goalWithForeign: three,
  },
  updateKey: {
    ...ofKeys,
    operation: "updateKey",
    before: imported,
    after: { ...imported, ...tags },
    goal: one,
    goalWithForeign: two,
  },
  updateKeyRotationPolicy: {
    ...ofKeys,
    operation: "updateKeyRotationPolicy",
    before: generated,
    after: { ...generated, rotationPolicy: { rotateAfter: "P90D" } },
    goal: one,
    goalWithForeign: two,
  },
  "updateKey, disable": {
    ...ofKeys,
    operation: "updateKey",
    before: { ...imported, onDelete: "disable" },
    after: undefined,
    goal: disabled,
    foreign: mark("keys"),
    goalWithForeign: one,
  },
  deleteKey: {
    ...ofKeys,
    operation: "deleteKey",
    before: imported,
    after: undefined,
    goal: deleted,
    foreign: mark("keys"),
    goalWithForeign: one,
  },
  purgeDeletedKey: {
    ...ofKeys,
    operation: "purgeDeletedKey",
    before: { ...imported, onDelete: "purge" },
    after: undefined,
    goal: {},
    foreign: recoverAndMark("keys"),
    goalWithForeign: one,
  },
  recoverDeletedKey: {
    ...ofKeys,
    operation: "recoverDeletedKey",
    before: imported,
    between: removed(imported),
    after: imported,
    goal: one,
    foreign: recoverAndMark("keys"),
    goalWithForeign: one,
  },
  restoreKey: {
    ...ofKeys,
    operation: "restoreKey",
    before: imported,
    between: backedUp("keys", imported),
    after: {},
    goal: one,
    goalWithForeign: one,
  },
  backupKey: {
    ...ofKeys,
    operation: "backupKey",
    provider: keyBackup,
    between: async (_program, vault) => {
      await makeForeignKey(vault);
      return {};
    },
    after: {},
    goal: one,
    goalWithForeign: two,
  },
};

const secretScenarios: Record<string, Scenario> = {
  setSecret: { ...ofSecrets, operation: "setSecret", after: value, goal: one, goalWithForeign: one },
  "setSecret, next version": {
    ...ofSecrets,
    operation: "setSecret",
    before: value,
    after: nextValue,
    goal: two,
    goalWithForeign: three,
  },
  updateSecret: {
    ...ofSecrets,
    operation: "updateSecret",
    before: value,
    after: { ...value, ...tags },
    goal: one,
    goalWithForeign: two,
  },
  "updateSecret, disable": {
    ...ofSecrets,
    operation: "updateSecret",
    before: { ...value, onDelete: "disable" },
    after: undefined,
    goal: disabled,
    foreign: mark("secrets"),
    goalWithForeign: one,
  },
  deleteSecret: {
    ...ofSecrets,
    operation: "deleteSecret",
    before: value,
    after: undefined,
    goal: deleted,
    foreign: mark("secrets"),
    goalWithForeign: one,
  },
  purgeDeletedSecret: {
    ...ofSecrets,
    operation: "purgeDeletedSecret",
    before: { ...value, onDelete: "purge" },
    after: undefined,
    goal: {},
    foreign: recoverAndMark("secrets"),
    goalWithForeign: one,
  },
  recoverDeletedSecret: {
    ...ofSecrets,
    operation: "recoverDeletedSecret",
    before: value,
    between: removed(value),
    after: value,
    goal: one,
    foreign: recoverAndMark("secrets"),
    goalWithForeign: one,
  },
  restoreSecret: {
    ...ofSecrets,
    operation: "restoreSecret",
    before: value,
    between: backedUp("secrets", value),
    after: {},
    goal: one,
    goalWithForeign: one,
  },
  backupSecret: {
    ...ofSecrets,
    operation: "backupSecret",
    provider: secretBackup,
    between: async (_program, vault) => {
      await makeForeignSecret(vault);
      return {};
    },
    after: {},
    goal: one,
    goalWithForeign: two,
  },
};

/** A set of the key in question and one beside it, which nothing happens to. */
const ofSets = { ...ofKeys, provider: keySet, isOfMany: true } as const;
const inSet = (entry: Arguments) => ({ entries: { [NAME]: entry, beside: generated } });
const beside = (held: Held) => ({ ...held, beside: 1 });
const gone = { entries: { beside: generated }, removed: "delete" };

const setScenarios: Record<string, Scenario> = {
  "importKey, in a set": {
    ...ofSets,
    operation: "importKey",
    after: inSet(imported),
    goal: beside(one),
    goalWithForeign: beside(one),
  },
  "importKey, next version in a set": {
    ...ofSets,
    operation: "importKey",
    before: inSet(imported),
    after: inSet(importedNext),
    goal: beside(two),
    goalWithForeign: beside(three),
  },
  "createKey, next version in a set": {
    ...ofSets,
    operation: "createKey",
    before: inSet(generated),
    after: inSet(generatedNext),
    goal: beside(two),
    goalWithForeign: beside(three),
  },
  "updateKey, in a set": {
    ...ofSets,
    operation: "updateKey",
    before: inSet(imported),
    after: inSet({ ...imported, ...tags }),
    goal: beside(one),
    goalWithForeign: beside(two),
  },
  "updateKeyRotationPolicy, in a set": {
    ...ofSets,
    operation: "updateKeyRotationPolicy",
    before: inSet(generated),
    after: inSet({ ...generated, rotationPolicy: { rotateAfter: "P90D" } }),
    goal: beside(one),
    goalWithForeign: beside(two),
  },
  "deleteKey, out of a set": {
    ...ofSets,
    operation: "deleteKey",
    before: inSet(imported),
    after: gone,
    goal: beside(deleted),
    foreign: mark("keys"),
    goalWithForeign: beside(one),
  },
  "purgeDeletedKey, out of a set": {
    ...ofSets,
    operation: "purgeDeletedKey",
    before: inSet(imported),
    after: { ...gone, removed: "purge" },
    goal: beside({}),
    foreign: recoverAndMark("keys"),
    goalWithForeign: beside(one),
  },
  "recoverDeletedKey, in a set": {
    ...ofSets,
    operation: "recoverDeletedKey",
    before: inSet(imported),
    between: async (program) => {
      await program.up(gone);
      return {};
    },
    after: inSet(imported),
    goal: beside(one),
    foreign: recoverAndMark("keys"),
    goalWithForeign: beside(one),
  },
};

/** What follows on a step that has changed the vault already, and backups of all that a vault holds. */
const laterScenarios: Record<string, Scenario> = {
  "importKey, over a deleted key": {
    ...ofKeys,
    operation: "importKey",
    before: imported,
    between: removed({}),
    after: importedNext,
    goal: two,
    foreign: recoverAndMark("keys"),
    goalWithForeign: one,
  },
  "importKey, after a recovery": {
    ...ofKeys,
    operation: "importKey",
    follows: "recoverDeletedKey",
    goesOver: true,
    before: imported,
    between: removed({}),
    after: importedNext,
    goal: two,
    goalWithForeign: three,
  },
  "setSecret, after a recovery": {
    ...ofSecrets,
    operation: "setSecret",
    follows: "recoverDeletedSecret",
    goesOver: true,
    before: value,
    between: removed({}),
    after: nextValue,
    goal: two,
    goalWithForeign: three,
  },
  "updateKey, after a recovery": {
    ...ofKeys,
    operation: "updateKey",
    before: imported,
    between: removed({}),
    after: { ...imported, ...tags },
    goal: one,
    goalWithForeign: two,
  },
  "updateKey, after a restore": {
    ...ofKeys,
    operation: "updateKey",
    before: imported,
    between: backedUp("keys", imported),
    after: tags,
    goal: one,
    goalWithForeign: two,
  },
  "updateSecret, after a restore": {
    ...ofSecrets,
    operation: "updateSecret",
    before: value,
    between: backedUp("secrets", value),
    after: tags,
    goal: one,
    goalWithForeign: two,
  },
  "updateKeyRotationPolicy, taken back": {
    ...ofKeys,
    operation: "updateKeyRotationPolicy",
    before: { ...generated, rotationPolicy: { rotateAfter: "P90D" } },
    after: generated,
    goal: one,
    goalWithForeign: two,
  },
  "backupKey, of a vault": {
    ...ofKeys,
    operation: "backupKey",
    provider: vaultBackup,
    isOfMany: true,
    between: async (_program, vault) => {
      await makeForeignKey(vault);
      return {};
    },
    after: { keys: ["*"] },
    goal: one,
    goalWithForeign: two,
  },
  "backupSecret, of a vault": {
    ...ofSecrets,
    operation: "backupSecret",
    provider: vaultBackup,
    isOfMany: true,
    between: async (_program, vault) => {
      await makeForeignSecret(vault);
      return {};
    },
    after: { secrets: ["*"] },
    goal: one,
    goalWithForeign: two,
  },
};

/** The tables of docs/reliability.md: what becomes of each operation's run under each loss. */
const documented = outcomes(readFileSync(join(__dirname, "../../docs/reliability.md"), "utf8"));

function outcomes(page: string): Record<string, Record<string, string>> {
  const tables: Record<string, Record<string, string>> = {};
  let heads: string[] = [];
  for (const line of page.split("\n")) {
    if (!line.startsWith("| ")) continue;
    const [first = "", ...cells] = line.slice(2, -2).split(" | ");
    if (first === "Answer") {
      heads = cells;
      for (const head of heads) tables[head] = {};
      continue;
    }
    for (const [at, cell] of cells.entries()) {
      const table = tables[heads[at] ?? ""];
      if (table !== undefined) table[first] = cell.replaceAll("`", "");
    }
  }
  return tables;
}

/** A version that somebody else has made or marked. It stays as it is. */
interface Foreign {
  id?: string;
  key?: { kid: string };
  tags?: Record<string, string>;
}

/** The version as it is now, with what a write's answer tells of it. */
async function versionOf(vault: Emulator, collection: Collection, told: Foreign): Promise<unknown> {
  const version = (told.key?.kid ?? told.id ?? "").split("/").at(-1);
  const there = await call(vault, "GET", `/${collection}/${NAME}/${version}`);
  return Object.fromEntries(Object.entries(Object(there)).filter(([member]) => member in told));
}

const CLASSES = new Map([
  [key, "Key"],
  [secret, "Secret"],
  [keyBackup, "KeyBackup"],
  [secretBackup, "SecretBackup"],
  [keySet, "KeySet"],
  [vaultBackup, "VaultBackup"],
]);
const DOORS: [door: string, reach: (provider: DynamicProvider) => DynamicProvider][] = [
  ["dynamic", (provider) => provider],
  ["plugin", (provider) => wiredProvider(CLASSES.get(provider) ?? "")],
];
const scenarios = Object.entries({ ...keyScenarios, ...secretScenarios, ...setScenarios, ...laterScenarios });
const rows = DOORS.flatMap((door) => scenarios.map(([title, scenario]) => ({ title, scenario, door })));

describe.each(rows)("the lost answer of $title ($door.0)", ({ title, scenario, door: [, reach] }) => {
  let vault: Emulator;
  let connection: LossyConnection;

  beforeEach(async () => {
    vault = await startEmulator();
    connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  it.each(Object.entries(losses))("%s: comes out as docs/reliability.md says", async (loss, lost) => {
    const { rule, foreign } = lost;
    const { operation, collection, goal, goalWithForeign } = scenario;
    const program = new LossyProgram(reach(scenario.provider), vault, scenario.isOfMany ? undefined : NAME);
    if (scenario.before !== undefined) expect(await program.up(scenario.before)).toBeUndefined();
    const given = await scenario.between?.(program, vault);
    const after = scenario.after && { ...scenario.after, ...given };
    let untouched: Held = {};
    let others: Foreign | undefined;
    const lose = async () => {
      if (foreign) others = (await scenario.foreign(vault)) as Foreign;
      untouched = await holdings(vault, collection);
      connection.sent.length = 0;
      connection.lose(operation, lost);
    };
    const { follows = operation } = scenario;
    connection.before.set(
      follows,
      follows === operation ? lose : async () => void connection.before.set(operation, lose),
    );
    const failure = await program.up(after);
    const reached = await holdings(vault, collection);
    const sent = connection.sent.filter((each) => each === operation).length;
    const outcome = failure ?? (sent > 1 ? "sent again" : "done");
    expect(outcome).toBe(documented[title]?.[loss]);
    expect(vault.faults.rules).toHaveLength(rule === undefined ? 0 : 1);
    if (failure === undefined) expect(reached).toEqual(foreign ? goalWithForeign : goal);
    else if (failure !== "KV_UNCERTAIN") expect(reached[NAME]).toEqual(untouched[NAME]);

    vault.clock.advance(60_000);
    expect(await program.up(after)).toBe(foreign && !scenario.goesOver ? failure : undefined);
    expect(await holdings(vault, collection)).toEqual(foreign ? goalWithForeign : goal);
    if (others !== undefined) expect(await versionOf(vault, collection, others)).toEqual(others);
    else if (program.state !== undefined) expect(await program.resource.drift(program.state)).toEqual({});
  });
});
