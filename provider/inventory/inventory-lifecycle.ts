import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { membersBeyond, readState, type StateOfResource } from "../engine/recorded-state.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { replacedBy } from "../vault/replaced-by.js";
import { vaultClient } from "../vault/vault-access.js";
import { checkInventory } from "./check-inventory.js";
import { namesOf, type RecordedNames } from "./expected-names.js";
import { driftSince, otherPolicies } from "./inventory-drift.js";
import { type InventoryKind, KEYS, SECRETS } from "./inventory-kind.js";
import { inventoryOutputs, recordedInputs, rollEntry } from "./inventory-outputs.js";
import { formatInventoryReport } from "./inventory-report.js";
import { type Expectation, type Roll, type RollEntry, readRoll, writeRoll } from "./inventory-snapshot.js";
import { type InventoryContents, type Look, lookAtVault, type SeenObject } from "./look-at-vault.js";
import type { InventoryInputs } from "./recorded-inventory.js";

/**
 * What happens to an inventory on each call of the engine.
 *
 * An update takes the inventory and records it as the roll. A refresh takes it again, leaves the roll as it is, and
 * tells what differs from it in the input `drift`, until an update accepts it. Nothing is ever written to the vault.
 */
function inventoryLifecycle(kind: InventoryKind): ResourceLifecycle {
  return {
    check: (olds, news) => checkInventory(kind, olds, news),

    diff: async (_id, olds, news) => ({
      changes: undefined,
      replaces: replacedBy(olds, news),
      deleteBeforeReplace: false,
    }),

    create: async (inputs) => ({
      id: `${inputs.vaultUrl}/${kind.collection}`,
      outs: await takeInventory(kind, inputs),
    }),
    read: (id, props) => readInventory(kind, id, props),
    update: async (_id, olds, news) => ({ outs: await takeInventory(kind, news, olds) }),
    delete: async () => {},
  };
}

export const keyInventoryLifecycle = inventoryLifecycle(KEYS);
export const secretInventoryLifecycle = inventoryLifecycle(SECRETS);

/**
 * What the program has just stopped to expect is not unmanaged: its resource may be about to be deleted, which
 * the engine does at the end of an update, after this inventory. The next refresh tells those that stayed.
 */
async function takeInventory(kind: InventoryKind, inputs: Properties, olds?: Properties): Promise<Properties> {
  const schemas = await import("./recorded-inventory.js");
  const given = readState(schemas.inventoryInputs, inputs, stateOf(kind, inputs));
  const expected = expectedObjects(kind, given);
  const contents = await look(kind, given, given[kind.include], (name) => expected.get(name.toLowerCase())?.by);
  const before = olds && readRoll(readState(schemas.inventoryOutputs, olds, stateOf(kind, olds)).roll);
  const formerly = (key: SeenObject): Expectation | undefined =>
    key.expected === undefined ? before?.keys.get(before.idOf(key.name))?.expected : undefined;

  const missing = [...expected.entries()].filter(([id]) => !contents.seen.has(id)).map(([, entry]) => entry);
  const seen = [...contents.seen.values()];
  const unmanaged = seen
    .filter((key) => key.expected === undefined && formerly(key) === undefined)
    .map(({ name }) => name);
  if (given.onUnmanaged === "fail" && unmanaged.length > 0) throw unmanagedObjects(kind, given.vaultUrl, unmanaged);
  const outs = inventoryOutputs(kind, inputs, {
    contents,
    unmanaged,
    leaving: new Set(seen.filter((key) => formerly(key) === "resource")),
    missing: missing.map(({ name }) => name),
    roll: writeRoll([
      ...seen.map((key) => rollEntry(key, formerly(key) !== undefined)),
      ...missing.map(({ name, by }): RollEntry => ({ name, expected: by, state: "missing" })),
    ]),
  });
  return olds === undefined ? outs : { ...membersBeyond(schemas.inventoryOutputs, olds), ...outs };
}

async function readInventory(kind: InventoryKind, id: string, props: Properties) {
  const schemas = await import("./recorded-inventory.js");
  const recorded = readState(schemas.inventoryOutputs, props, stateOf(kind, props));
  const roll = readRoll(recorded.roll);
  const recordOf = (name: string) => roll.keys.get(roll.idOf(name));
  const isIncluded = recorded[kind.collection] !== undefined;
  const contents = await look(kind, recorded, isIncluded, (name) => recordOf(name)?.expected);
  const { vaultUrl } = recorded;
  const drift = await driftSince(kind, await vaultClient(recorded), roll, contents);
  const drifted = Object.entries(drift);
  if (drifted.length > 0) {
    tell(formatInventoryReport({ collection: kind.collection, vaultUrl, drift: drifted }));
  }
  const policies = otherPolicies(roll, contents);
  if (policies.length > 0) {
    tell(
      `keys of ${vaultUrl} have another rotation policy since the last inventory, which is the program's or somebody else's: ${listOf(policies)}`,
    );
  }
  const unmanaged = [...contents.seen.values()].filter(({ expected }) => expected === undefined);
  const missing = missingOf(roll, contents, recorded.missing);
  const outs = inventoryOutputs(kind, props, {
    contents,
    unmanaged: unmanaged.map(({ name }) => name),
    missing: missing.names,
    missingCount: missing.count,
    // A roll of hashes cannot be written again without the names of what is missing.
    roll:
      drifted.length > 0 || missing.names.length < missing.count
        ? recorded.roll
        : refreshed(roll, contents, missing.names),
  });
  const asked = isIncluded ? { [kind.include]: true } : {};
  return {
    id,
    props: { ...membersBeyond(schemas.inventoryOutputs, props), ...outs },
    inputs: { ...recordedInputs(props), ...asked, drift },
  };
}

/** Where nothing drifted, what a rotation policy made, and what has left since, is taken over. */
function refreshed(roll: Roll, contents: InventoryContents, missing: readonly string[]): string {
  return writeRoll([
    // A policy that could not be read this time is still the one that was recorded.
    ...[...contents.seen.values()].map((key) => ({
      ...rollEntry(key),
      rotation: key.rotation ?? roll.keys.get(roll.idOf(key.name))?.rotation,
    })),
    ...missing.map((name): RollEntry => {
      const expected = roll.keys.get(roll.idOf(name))?.expected;
      return { name, expected, state: "missing" };
    }),
  ]);
}

/** Expected keys that are not there. Where the roll keeps no names, they are those told before or found among the deleted ones. */
function missingOf(roll: Roll, contents: InventoryContents, before: readonly string[]) {
  const told = [...before, ...[...contents.deleted.values()].map(({ name }) => name)];
  const names = new Map(told.map((name) => [roll.idOf(name), name]));
  const there = new Set([...contents.seen.values()].map(({ name }) => roll.idOf(name)));
  const missing = [...roll.keys].filter(([id, { expected }]) => expected !== undefined && !there.has(id));
  const named = missing.map(([id, { name = names.get(id) }]) => name).filter((name) => name !== undefined);
  return { names: named, count: missing.length };
}

async function look(
  kind: InventoryKind,
  inputs: Pick<InventoryInputs, "vaultUrl" | "credential" | "ignore" | "expiresWithin" | "rotation">,
  includeObjects: boolean | undefined,
  expectationOf: Look["expectationOf"],
): Promise<InventoryContents> {
  const { ignore, expiresWithin, rotation } = inputs;
  const client = await vaultClient(inputs);
  return lookAtVault(client, { kind, expectationOf, ignore, expiresWithin, rotation, includeObjects });
}

function expectedObjects(
  kind: InventoryKind,
  { expect, expectResources }: InventoryInputs,
): Map<string, { name: string; by: Expectation }> {
  const expected = new Map<string, { name: string; by: Expectation }>();
  for (const [by, record] of [
    ["name", expect],
    ["resource", expectResources],
  ] as const) {
    for (const name of namesAtHand(kind, record)) expected.set(name.toLowerCase(), { name, by });
  }
  return expected;
}

function namesAtHand({ resource }: InventoryKind, record: RecordedNames | undefined): string[] {
  const names = namesOf(record);
  if (names) return names;
  throw new KeyVaultError("KV_INVALID_INPUT", `The expected names of a ${resource} are not at hand (${record})`, {
    hint: "run the program that names them, without ignoreChanges on expect.",
  });
}

function stateOf({ resource }: InventoryKind, { vaultUrl }: Properties): StateOfResource {
  return {
    resource: `the ${resource} of ${vaultUrl}`,
    remedy: "take the inventory anew: pulumi up --replace with its URN",
  };
}

const MOST_NAMED = 20;

function listOf(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `${names.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function unmanagedObjects(
  { noun, collection }: InventoryKind,
  vaultUrl: string,
  names: readonly string[],
): KeyVaultError {
  const what = `${names.length === 1 ? `a ${noun}` : collection} that the program does not expect`;
  return new KeyVaultError("KV_UNMANAGED", `${vaultUrl} holds ${what}: ${listOf(names)}`, {
    hint: `add them to expect or ignore, manage them with a ${noun === "key" ? "Key" : "Secret"} that has adopt: true, or set onUnmanaged: "report".`,
  });
}
