import { jsonDocument } from "../text/json-text.js";
import type { AdoptedResource } from "./adopted-resource.js";

/** A resource together with what the program calls it. */
export interface NamedResource {
  resource: AdoptedResource;
  /** The resource's name in Pulumi. */
  resourceName: string;
  /** The constant in the program. */
  identifier: string;
}

/**
 * The file for `pulumi import --file`. With inputs and outputs given, the engine takes the state as it stands: it
 * reads nothing from the vault.
 */
export function importFile(resources: readonly NamedResource[]): string {
  const entries = resources.map(({ resource: { type, id, inputs, outputs }, resourceName }) => ({
    type,
    name: resourceName,
    id,
    inputs,
    outputs: { ...outputs, __provider: inputs.__provider },
  }));
  return jsonDocument({ resources: entries });
}
