import { canonicalJson } from "../../provider/engine/normal-form.js";
import { expectedValue, observedValue } from "../../provider/object/observed-drift.js";

/** What the engine's JSON has in place of a secret value. */
const MASK = "[secret]";
const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";
const NEVER_SHOWN = new Set(["valueDigest", "blob", "blobs", "value"]);

export type Properties = Record<string, unknown>;

/** A value before and after, by the path that leads to it, such as `tags.team`. */
export interface Difference {
  path: string;
  before: unknown;
  after: unknown;
}

/** True for a value that must not be shown, wherever it comes from. */
export function isSecret(path: string, value: unknown): boolean {
  const [root = ""] = path.split(/[.[]/);
  if (NEVER_SHOWN.has(root)) return true;
  return isMasked(value);
}

/** A value that the engine hides, whatever its property is. */
export function isMasked(value: unknown): boolean {
  return value === MASK || (isObject(value) && SECRET_SIGNATURE in value);
}

/**
 * The leaves in which two sets of properties differ, in the order of their paths. Properties that begin with `__`
 * are the provider's own and are left out; lists are compared as sets of one leaf.
 */
export function differences(recorded: Properties, observed: Properties): Difference[] {
  const found: Difference[] = [];
  const [before, after] = [withoutNotes(recorded), withoutNotes(observed)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !name.startsWith("__"));
  for (const name of names.sort()) collect(name, own(before, name), own(after, name), found);
  return found;
}

/** Values as the vault has them, without what a refresh notes in them for the next check. */
export function withoutNotes(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, observedValue(name, value)]));
}

/**
 * Inputs of a key or secret as they were to be before a refresh wrote down what it had found: that counts as drift until an `up` has
 * acted on it, however often the stack is refreshed.
 */
export function withoutFindings({ version: _found, ...properties }: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties)
      .map(([name, value]) => [name, expectedValue(name, value)] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function collect(path: string, before: unknown, after: unknown, found: Difference[]): void {
  if (isSecret(path, before) || isSecret(path, after)) {
    // One side may be masked and the other not: only where both are plain can they be told apart here.
    const isComparable = before === undefined || after === undefined || (before !== MASK && after !== MASK);
    if (isComparable && !same(before, after)) found.push({ path, before, after });
    return;
  }
  if ((isObject(before) || before === undefined) && (isObject(after) || after === undefined)) {
    const members = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
    for (const member of members) collect(`${path}.${member}`, own(before, member), own(after, member), found);
    return;
  }
  if (!same(before, after)) found.push({ path, before, after });
}

/** A tag may be named `__proto__` or `constructor`. */
function own(properties: Properties | undefined, name: string): unknown {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

export function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** The value at a path such as `tags.team`. Tag names may hold dots: the longest member that fits is taken. */
export function valueAt(properties: Properties, path: string): unknown {
  if (Object.hasOwn(properties, path)) return properties[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const inner = own(properties, path.slice(0, dot));
    if (isObject(inner)) return valueAt(inner, path.slice(dot + 1));
  }
  return undefined;
}

export function isObject(value: unknown): value is Properties {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
