import { hasUnread, keyInputsOf, withoutUnread } from "../../provider/key-set/key-set-inputs.js";
import { keyOutputsOf } from "../../provider/key-set/key-set-outputs.js";
import { type KeyRecords, unpackRecords } from "../../provider/key-set/packed-records.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import type { PreviewStep, ResourceState } from "./preview-json.js";
import { isObject, isSecret, type Properties, same, withoutFindings, withoutNotes } from "./property-values.js";
import type { ResourceIdentity } from "./resource-identity.js";

/** What one run says of one resource, put together from its steps. */
export interface Observation {
  urn: string;
  recorded: ResourceState;
  /** Undefined where it is gone. */
  observed: ResourceState | undefined;
  /** Undefined where the run did not ask the program. */
  program: PreviewStep | undefined;
  /** The engine's own list of what differs, which also names values that it masks. */
  details: PreviewStep["detailedDiff"];
  /** Of a KeySet: the key that this is of. */
  key?: string;
}

/** The keys of a set in which something differs, each as a Key of its own would be told. Undefined for any other resource. */
export function keysOfSet(observation: Observation): Observation[] | undefined {
  const { recorded, observed, program } = observation;
  if (recorded.type !== RESOURCE_TYPES.keySet || observed === undefined) return undefined;
  const [before, after] = [read(recorded), read(observed)];
  if (before === undefined || after === undefined) return undefined;
  const names = [...new Set([...before.records.keys(), ...after.records.keys()])];
  return names
    .filter((name) => isToTell(before, after, name))
    .map((name) => ({
      urn: observation.urn,
      key: name,
      recorded: stateOf(recorded, before, name) ?? { ...recorded, type: RESOURCE_TYPES.key, inputs: {}, outputs: {} },
      observed: stateOf(observed, after, name),
      program: program && stepOf(program, name, after.records.has(name)),
      details: detailsOf(observation.details, name),
    }));
}

/** What a refresh says of a set without its notes on keys that it could not read: they differ in nothing. */
export function withoutUnreadKeys(observation: Observation): Observation {
  const { recorded, observed } = observation;
  return { ...observation, recorded: withoutNotesOnKeys(recorded), observed: observed && withoutNotesOnKeys(observed) };
}

function withoutNotesOnKeys(state: ResourceState): ResourceState {
  const { type, inputs } = state;
  if (type !== RESOURCE_TYPES.keySet || !isObject(inputs?.keys)) return state;
  const keys = Object.entries(inputs.keys).map(([name, entry]) => [
    name,
    isObject(entry) ? withoutUnread(entry) : entry,
  ]);
  return { ...state, inputs: { ...inputs, keys: Object.fromEntries(keys) } };
}

/** The keys of a set that the refresh could not read, and why, where state does not hide it. */
export function unreadKeys({ observed, details }: Observation): UnreadKey[] {
  if (observed?.type !== RESOURCE_TYPES.keySet) return [];
  const vaultUrl = String(observed.inputs?.vaultUrl ?? "");
  const reasons =
    unreadInRecords(observed) ?? new Map(unreadInInputs(observed, details).map((name) => [name, undefined]));
  return [...reasons].map(([name, reason]) => ({
    object: { kind: "key", name, vaultUrl },
    reason: reason?.replace(/\s+/g, " "),
  }));
}

interface UnreadKey {
  object: NonNullable<ResourceIdentity["object"]>;
  reason: string | undefined;
}

function unreadInRecords(observed: ResourceState): Map<string, string> | undefined {
  const records = read(observed)?.records;
  if (records === undefined) return undefined;
  return new Map([...records].flatMap(([name, { unread }]) => (unread === undefined ? [] : [[name, unread] as const])));
}

function unreadInInputs({ inputs }: ResourceState, details: PreviewStep["detailedDiff"]): string[] {
  const { keys } = inputs ?? {};
  if (isObject(keys) && !isSecret("keys", keys)) {
    return Object.entries(keys).flatMap(([name, entry]) => (isObject(entry) && hasUnread(entry) ? [name] : []));
  }
  return Object.keys(details ?? {}).flatMap((path) => UNREAD_PATH.exec(path)?.slice(1, 3).filter(Boolean) ?? []);
}

const UNREAD_PATH = /^keys(?:\["([^"]+)"\]|\.(\w+))\.unread$/;

export function isUnreadPath(path: string): boolean {
  return UNREAD_PATH.test(path);
}

/** Whether the engine masks what state holds of the keys of a set. */
export function isHiddenSet({ recorded, observed }: Observation): boolean {
  if (recorded.type !== RESOURCE_TYPES.keySet || observed === undefined) return false;
  return [recorded, observed].some(({ inputs }) => isSecret("keys", inputs?.keys));
}

interface ReadSet {
  inputs: Properties;
  outputs: Properties;
  keys: Properties;
  records: KeyRecords;
}

function read({ inputs, outputs }: ResourceState): ReadSet | undefined {
  if (!isObject(inputs) || !isObject(outputs) || !isObject(inputs.keys)) return undefined;
  try {
    return { inputs, outputs, keys: inputs.keys, records: unpackRecords(outputs.records) };
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    return undefined;
  }
}

function isToTell(before: ReadSet, after: ReadSet, name: string): boolean {
  const entry = before.keys[name];
  if (!same(entry, after.keys[name]) || !same(before.records.get(name), after.records.get(name))) return true;
  // Of an earlier refresh, until an update has acted on it.
  return isObject(entry) && !same(withoutFindings(entry), withoutNotes(entry));
}

function stateOf(state: ResourceState, { inputs, outputs, keys, records }: ReadSet, name: string) {
  const entry = keys[name];
  const record = records.get(name);
  if (!isObject(entry) || record === undefined) return undefined;
  return {
    ...state,
    type: RESOURCE_TYPES.key,
    inputs: keyInputsOf(inputs, name, entry),
    outputs: keyOutputsOf(outputs, name, record),
  };
}

/** What the program's step of the set means for one key. */
function stepOf(step: PreviewStep, name: string, isThere: boolean): PreviewStep {
  const inputs = step.newState?.inputs;
  if (!step.newState || !isObject(inputs) || !isObject(inputs.keys)) return step;
  const entry = inputs.keys[name];
  const key = isObject(entry)
    ? keyInputsOf(inputs, name, entry)
    : { vaultUrl: inputs.vaultUrl, name, onDelete: inputs.removed ?? "retain" };
  const op = step.op !== "update" ? step.op : !isObject(entry) ? "delete" : isThere ? "update" : "create";
  return { ...step, op, newState: { ...step.newState, type: RESOURCE_TYPES.key, inputs: key } };
}

/** The engine writes `keys["pump-17"].tags.site`, and `keys.pump.tags` where the name is like a variable's. */
function detailsOf(details: PreviewStep["detailedDiff"], name: string): PreviewStep["detailedDiff"] {
  const prefixes = [`keys["${name}"].`, `keys.${name}.`];
  return Object.fromEntries(
    Object.entries(details ?? {}).flatMap(([path, detail]) => {
      const prefix = prefixes.find((each) => path.startsWith(each));
      return prefix === undefined ? [] : [[path.slice(prefix.length), detail]];
    }),
  );
}
