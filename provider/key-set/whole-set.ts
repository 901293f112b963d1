import { isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { canonicalJson } from "../engine/normal-form.js";
import { hasOpenEnd, unpackRecords } from "./packed-records.js";

const SOURCES = ["thumbprint", "generate", "restore"] as const;

/** Whether state has each key of the program, from the source that the program names, and of none anything is left to do. */
export function isWholeSet({ records }: Properties, { keys }: Properties): boolean {
  const recorded = unpackRecords(records);
  if (!isRecord(keys) || recorded.size !== Object.keys(keys).length) return false;
  return [...recorded].every(([name, record]) => {
    const { entry } = record;
    const wanted = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (!isRecord(wanted) || hasOpenEnd(record)) return false;
    return SOURCES.every((source) => canonicalJson({ of: entry[source] }) === canonicalJson({ of: wanted[source] }));
  });
}
