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
