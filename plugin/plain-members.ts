import { isRecord } from "../provider/engine/input-check.js";
import type { Properties } from "../provider/engine/lifecycle.js";

/**
 * Where an argument of a TypeScript program takes one thing or another, most languages have no type for it: there it is
 * two plain members, and here they become one again. Both given is left to the check to refuse, with both in one place.
 */
export function fromPlainMembers(inputs: Properties): Properties {
  const { valueFrom, keyResources, secretResources, ...rest } = inputs;
  return {
    ...rest,
    ...(valueFrom === undefined ? {} : { value: oneOf(rest.value, valueFrom) }),
    ...(isRecord(rest.import) ? { import: importOf(rest.import) } : {}),
    ...(keyResources === undefined ? {} : { keys: together(rest.keys, keyResources) }),
    ...(secretResources === undefined ? {} : { secrets: together(rest.secrets, secretResources) }),
  };
}

/** The keys of a set go by another name on their way: what holds a secret would make one of all that state has of them. */
export function fromPlainSet({ keys, ...inputs }: Properties): Properties {
  const set = fromPlainMembers(inputs);
  if (keys === undefined) return set;
  if (!isRecord(keys)) return { ...set, entries: keys };
  const entries = Object.entries(keys).map(([name, entry]) => [
    name,
    isRecord(entry) ? fromPlainMembers(entry) : entry,
  ]);
  return { ...set, entries: Object.fromEntries(entries) };
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
