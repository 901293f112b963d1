import type { Properties } from "./lifecycle.js";

/**
 * State records each fact once. Where no class of this package derives the others in the program, the provider writes
 * what is derived beside them, and here what each such output has in the place of: null where state records nothing.
 */
const SHOWN = "__shown";

/** A resource's outputs with what is derived of them, to be read by programs. */
export function withShown(recorded: Properties, derived: Properties): Properties {
  const shown = Object.entries(derived).filter(([, value]) => value !== undefined);
  if (shown.length === 0) return recorded;
  const replaced = Object.fromEntries(shown.map(([name]) => [name, recorded[name] ?? null]));
  return { ...recorded, ...Object.fromEntries(shown), [SHOWN]: replaced };
}

/** As state records it, whichever door has written it. */
export function withoutShown(outputs: Properties): Properties {
  const { [SHOWN]: replaced, ...rest } = outputs;
  if (replaced === null || typeof replaced !== "object") return outputs;
  for (const [name, recorded] of Object.entries(replaced)) {
    if (recorded === null) delete rest[name];
    else rest[name] = recorded;
  }
  return rest;
}
