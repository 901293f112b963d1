import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { readState, type StateOfResource } from "../engine/recorded-state.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { replacedBy } from "../vault/replaced-by.js";
import { vaultClient } from "../vault/vault-access.js";
import { checkKeyInventory } from "./check-key-inventory.js";
import { namesOf, type RecordedNames } from "./expected-names.js";
import { driftSince, otherPolicies } from "./inventory-drift.js";
import { inventoryOutputs, recordedInputs, rollEntry } from "./inventory-outputs.js";
import { formatInventoryReport } from "./inventory-report.js";
import { type Expectation, type Roll, type RollEntry, readRoll, writeRoll } from "./inventory-snapshot.js";
import { type InventoryContents, type Look, lookAtVault, type SeenKey } from "./look-at-vault.js";
import type { InventoryInputs } from "./recorded-inventory.js";

/**
 * What happens to a KeyInventory on each call of the engine.
 *
 * An update takes the inventory and records it as the roll. A refresh takes it again, leaves the roll as it is, and
 * tells what differs from it in the input `drift`, until an update accepts it. Nothing is ever written to the vault.
 */
export const keyInventoryLifecycle: ResourceLifecycle = {
  check: checkKeyInventory,

  diff: async (_id, olds, news) => ({
    changes: undefined,
    replaces: replacedBy(olds, news),
    deleteBeforeReplace: false,
  }),

  create: async (inputs) => ({ id: `${inputs.vaultUrl}/keys`, outs: await takeInventory(inputs) }),
  read: readInventory,
  update: async (_id, olds, news) => ({ outs: await takeInventory(news, olds) }),
  delete: async () => {},
};

/**
 * Keys that the program has just stopped to expect are not unmanaged: their resources may be about to be deleted, which
 * the engine does at the end of an update, after this inventory. The next refresh tells those that stayed.
 */
async function takeInventory(inputs: Properties, olds?: Properties): Promise<Properties> {
  const schemas = await import("./recorded-inventory.js");
  const given = readState(schemas.inventoryInputs, inputs, stateOf(inputs));
  const expected = expectedKeys(given);
  const contents = await look(given, given.includeKeys, (name) => expected.get(name.toLowerCase())?.by);
  const before = olds && readRoll(readState(schemas.inventoryOutputs, olds, stateOf(olds)).roll);
  const formerly = (key: SeenKey): Expectation | undefined =>
    key.expected === undefined ? before?.keys.get(before.idOf(key.name))?.expected : undefined;

  const missing = [...expected.entries()].filter(([id]) => !contents.seen.has(id)).map(([, entry]) => entry);
  const seen = [...contents.seen.values()];
  const unmanaged = seen
    .filter((key) => key.expected === undefined && formerly(key) === undefined)
    .map(({ name }) => name);
  if (given.onUnmanaged === "fail" && unmanaged.length > 0) throw unmanagedKeys(given.vaultUrl, unmanaged);
  return inventoryOutputs(inputs, {
    contents,
    unmanaged,
    leaving: new Set(seen.filter((key) => formerly(key) === "resource")),
    missing: missing.map(({ name }) => name),
    roll: writeRoll([
      ...seen.map((key) => rollEntry(key, formerly(key) !== undefined)),
      ...missing.map(({ name, by }): RollEntry => ({ name, expected: by, state: "missing" })),
    ]),
  });
}

async function readInventory(id: string, props: Properties) {
  const schemas = await import("./recorded-inventory.js");
  const recorded = readState(schemas.inventoryOutputs, props, stateOf(props));
  const roll = readRoll(recorded.roll);
  const recordOf = (name: string) => roll.keys.get(roll.idOf(name));
  const contents = await look(recorded, recorded.keys !== undefined, (name) => recordOf(name)?.expected);
  const { vaultUrl } = recorded;
  const drift = await driftSince(await vaultClient(recorded), roll, contents);
  const drifted = Object.entries(drift);
  if (drifted.length > 0) {
    tell(formatInventoryReport({ vaultUrl, drift: drifted }));
  }
  const policies = otherPolicies(roll, contents);
  if (policies.length > 0) {
    tell(
      `keys of ${vaultUrl} have another rotation policy since the last inventory, which is the program's or somebody else's: ${listOf(policies)}`,
    );
  }
  const unmanaged = [...contents.seen.values()].filter(({ expected }) => expected === undefined);
  const missing = missingOf(roll, contents, recorded.missing);
  const outs = inventoryOutputs(props, {
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
  const asked = recorded.keys === undefined ? {} : { includeKeys: true };
  return { id, props: outs, inputs: { ...recordedInputs(props), ...asked, drift } };
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
  inputs: Pick<InventoryInputs, "vaultUrl" | "credential" | "ignore" | "expiresWithin" | "rotation">,
  includeKeys: boolean | undefined,
  expectationOf: Look["expectationOf"],
): Promise<InventoryContents> {
  const { ignore, expiresWithin, rotation } = inputs;
  const client = await vaultClient(inputs);
  return lookAtVault(client, { expectationOf, ignore, expiresWithin, rotation, includeKeys });
}

function expectedKeys({ expect, expectResources }: InventoryInputs): Map<string, { name: string; by: Expectation }> {
  const expected = new Map<string, { name: string; by: Expectation }>();
  for (const [by, record] of [
    ["name", expect],
    ["resource", expectResources],
  ] as const) {
    for (const name of namesAtHand(record)) expected.set(name.toLowerCase(), { name, by });
  }
  return expected;
}

function namesAtHand(record: RecordedNames | undefined): string[] {
  const names = namesOf(record);
  if (names) return names;
  throw new KeyVaultError("KV_INVALID_INPUT", `The expected names of a KeyInventory are not at hand (${record})`, {
    hint: "run the program that names them, without ignoreChanges on expect.",
  });
}

function stateOf({ vaultUrl }: Properties): StateOfResource {
  return {
    resource: `the KeyInventory of ${vaultUrl}`,
    remedy: "take the inventory anew: pulumi up --replace with its URN",
  };
}

const MOST_NAMED = 20;

function listOf(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `${names.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function unmanagedKeys(vaultUrl: string, names: readonly string[]): KeyVaultError {
  const keys = names.length === 1 ? "a key that the program does not expect" : "keys that the program does not expect";
  return new KeyVaultError("KV_UNMANAGED", `KV_UNMANAGED: ${vaultUrl} holds ${keys}: ${listOf(names)}`, {
    hint: 'add them to expect or ignore, manage them with a Key that has adopt: true, or set onUnmanaged: "report".',
  });
}
