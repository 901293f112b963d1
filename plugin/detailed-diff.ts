import { isRecord } from "../provider/engine/input-check.js";
import type { Properties } from "../provider/engine/lifecycle.js";
import { canonicalJson } from "../provider/engine/normal-form.js";

/** One property whose value in the program differs from the recorded one. */
export interface PropertyChange {
  /** As Pulumi writes it: `tags.team`, `keyOps[1]`, `tags["a.b"]`. */
  path: string;
  kind: "add" | "delete" | "update";
}

/** Per property, however deep, what differs between the inputs in state and those of the program. Names, never values. */
export function changedProperties(before: Properties, after: Properties): PropertyChange[] {
  return [...compare("", before, after)];
}

/** The property itself of a path. */
export function rootOf(path: string): string {
  return path.split(/[.[]/, 1)[0] ?? path;
}

function* compare(path: string, before: unknown, after: unknown): Generator<PropertyChange> {
  if (before === undefined && after === undefined) return;
  if (before === undefined) yield { path, kind: "add" };
  else if (after === undefined) yield { path, kind: "delete" };
  else if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const name of [...names].sort()) {
      yield* compare(memberPath(path, name), memberOf(before, name), memberOf(after, name));
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      yield* compare(`${path}[${index}]`, before[index], after[index]);
    }
  } else if (canonicalJson(before) !== canonicalJson(after)) yield { path, kind: "update" };
}

/** Its own: a map of names has none that every object has, such as `constructor`. */
function memberOf(map: Properties, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function memberPath(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
