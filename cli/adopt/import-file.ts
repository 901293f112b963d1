import { withShown } from "../../provider/engine/shown-outputs.js";
import { shownKeySet } from "../../provider/key-set/shown-key-set.js";
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
 * The file for `pulumi import --file` into a program of the plugin: the engine has the plugin read each object, and writes
 * the program in the language of the project. A set is no object of the vault, so it comes with its state.
 */
export function pluginImportFile(resources: readonly NamedResource[]): string {
  const entries = resources.map(({ resource, resourceName }) => ({
    type: `keyvault:index:${resource.className}`,
    name: resourceName,
    id: resource.id,
    ...(resource.className === "KeySet" ? pluginState(resource) : {}),
  }));
  return jsonDocument({ resources: entries });
}

function pluginState({ inputs: { __provider, ...inputs }, outputs }: AdoptedResource) {
  return { inputs, outputs: withShown(outputs, shownKeySet(outputs)) };
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
