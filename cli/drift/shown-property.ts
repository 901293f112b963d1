import type { ResourceState } from "./preview-json.js";
import { type Difference, isSecret } from "./property-values.js";

/** A drifted property as a report shows it. */
export interface ShownProperty {
  property: string;
  recorded: string | undefined;
  observed: string | undefined;
}

/** An inventory tells each key that drifted under `drift`, by its name. */
const INVENTORY = /^drift\.(?=.)/;

/** What people see of a difference: never a secret, and no name that only the provider knows. */
export function shownProperty(state: ResourceState, { path, before, after }: Difference): ShownProperty {
  const observed = shown(path, after);
  const recorded = before ?? recordedFact(state, path, after);
  return {
    property: shownName(path),
    recorded: shown(path, recorded),
    observed: observed === "(secret)" && recorded !== undefined ? "(secret, changed)" : observed,
  };
}

export function shownName(path: string): string {
  if (INVENTORY.test(path)) return path.replace(INVENTORY, "");
  if (path === "valueDigest") return "value";
  return path === "stale" ? "blob" : path;
}

/** The version, and the digest of a generated value, are recorded among the outputs alone; the inputs have them where they drift. */
function recordedFact({ outputs }: ResourceState, path: string, after: unknown): unknown {
  if (INVENTORY.test(path)) return "no change";
  if (path === "valueDigest") return outputs?.valueDigest;
  if (path !== "version") return undefined;
  // After a plain refresh state has the found version alone.
  return outputs?.version === after ? "another one" : outputs?.version;
}

function shown(path: string, value: unknown): string | undefined {
  if (path === "stale") {
    return value === undefined ? "covers the object" : `stale: ${[value].flat().map(String).join("; ")}`;
  }
  if (path === "valueDigest") return "(secret)";
  if (value === undefined || value === null) return undefined;
  if (isSecret(path, value)) return "(secret)";
  return typeof value === "string" ? value : JSON.stringify(value);
}
