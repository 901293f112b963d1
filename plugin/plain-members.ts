import { describeValue } from "../provider/engine/described-value.js";
import { isRecord } from "../provider/engine/input-check.js";
import type { Properties } from "../provider/engine/lifecycle.js";
import { isUnknown, UNKNOWN } from "../provider/engine/unknown.js";

/** Names that no shared check sees. */
export const PLAIN_MEMBERS: readonly string[] = ["valueFrom", "keyResources", "secretResources"];

/**
 * The places that secrets are read from, each of another type than the secret itself. Text in one would be taken for the
 * secret when both are one member again: it is told by its own name, and then as if nothing were known of it.
 */
export function checkPlaces(inputs: Properties): { inputs: Properties; problems: string[] } {
  const problems: string[] = [];
  const place = (given: unknown, path: string): unknown => {
    if (given === undefined || given === null || isRecord(given) || isUnknown(given)) return given;
    problems.push(`${path} must be { env } or { file }, and is ${describeValue(given)}`);
    return UNKNOWN;
  };
  const within = (args: Properties, of: string): Properties =>
    isRecord(args.import) && Object.hasOwn(args.import, "passphraseFrom")
      ? {
          ...args,
          import: { ...args.import, passphraseFrom: place(args.import.passphraseFrom, `${of}import.passphraseFrom`) },
        }
      : args;
  const checked = within(inputs, "");
  const { keys } = checked;
  const entries = isRecord(keys) ? Object.entries(keys) : [];
  const ofKeys = entries.map(([name, key]) => [name, isRecord(key) ? within(key, "keys: a key's ") : key]);
  return {
    inputs: {
      ...checked,
      ...(Object.hasOwn(checked, "valueFrom") ? { valueFrom: place(checked.valueFrom, "valueFrom") } : {}),
      ...(isRecord(keys) ? { keys: Object.fromEntries(ofKeys) } : {}),
    },
    problems,
  };
}

/**
 * Where an argument of a TypeScript program takes one thing or another, most languages have no type for it: there it is
 * two plain members, and here they become one again. Both given is left to the check to refuse, with both in one place.
 */
export function fromPlainMembers(inputs: Properties): Properties {
  const { valueFrom, keyResources, secretResources, ...rest } = inputs;
  return {
    ...rest,
    ...(valueFrom === undefined || isEmpty(valueFrom) ? {} : { value: oneOf(rest.value, valueFrom) }),
    ...(isRecord(rest.import) ? { import: importOf(rest.import) } : {}),
    ...(keyResources === undefined ? {} : { keys: together(rest.keys, keyResources) }),
    ...(secretResources === undefined ? {} : { secrets: together(rest.secrets, secretResources) }),
  };
}

/**
 * A key of the program. With `ignoreChanges` on its import the engine takes that away, since state has nothing of the
 * name: what is recorded of the material then stands, as where it is not at hand.
 */
export function fromPlainKey(inputs: Properties, olds: Properties): Properties {
  const key = fromPlainMembers(inputs);
  const isSourceless = SOURCES.every((source) => key[source] === undefined || key[source] === null);
  return isSourceless && typeof olds.thumbprint === "string" ? { ...key, import: {} } : key;
}

const SOURCES = ["import", "generate", "restore", "adopt"];

/** The keys of a set go by another name on their way: what holds a secret would make one of all that state has of them. */
export function fromPlainSet({ keys, ...inputs }: Properties, olds: Properties): Properties {
  const set = fromPlainMembers(inputs);
  const isForAll = SOURCES.some((source) => set[source] !== undefined);
  const recorded = isForAll || !isRecord(olds.keys) ? {} : olds.keys;
  // With all of its import ignored, the set is what state has of it.
  if (keys === undefined && Object.keys(recorded).length > 0) return { ...set, entries: recorded, keys: recorded };
  if (keys === undefined) return set;
  if (!isRecord(keys)) return { ...set, entries: keys };
  const entries = Object.entries(keys).map(([name, entry]) => [
    name,
    isRecord(entry) ? fromPlainKey(entry, recordOf(recorded, name)) : entry,
  ]);
  return { ...set, entries: Object.fromEntries(entries) };
}

function recordOf(records: Properties, name: string): Properties {
  const record = Object.hasOwn(records, name) ? records[name] : undefined;
  return isRecord(record) ? record : {};
}

/** What is left of a place whose only member is ignored. */
function isEmpty(place: unknown): boolean {
  return isRecord(place) && Object.keys(place).length === 0;
}

function importOf({ passphraseFrom, ...rest }: Properties): Properties {
  if (passphraseFrom === undefined) return rest;
  return { ...rest, passphrase: oneOf(rest.passphrase, passphraseFrom) };
}

function oneOf(given: unknown, from: unknown): unknown {
  return given === undefined ? from : [given, from];
}

function together(given: unknown, resources: unknown): unknown {
  if (given === undefined) return resources;
  if (!Array.isArray(resources)) return [given, resources].flat();
  return [given, ...resources].flat();
}
