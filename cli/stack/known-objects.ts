import { resolve } from "node:path";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { vaultKey } from "../../provider/keyvault/identifier.js";
import { EMBEDDED } from "../../provider/vault/vault-identity.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import type { ListedCollection } from "../vault/name-filter.js";
import { MOST_ENGINES } from "./engine-run.js";
import { readStackState, type StateResource } from "./stack-state.js";

/** What a stack's state already has. */
export interface KnownObjects {
  has(vaultUrl: string, collection: ListedCollection, name: string): boolean;
  /** Whether a resource of that type has that name in the stack. */
  isResource(type: string, resourceName: string): boolean;
}

export const NOTHING_KNOWN: KnownObjects = { has: () => false, isResource: () => false };

const COLLECTIONS: Partial<Record<string, ListedCollection>> = {
  [RESOURCE_TYPES.key]: "keys",
  [RESOURCE_TYPES.secret]: "secrets",
};

/** What any of several stacks has. `true` stands for the selected stack. */
export async function knownToAny(stacks: readonly string[] | true): Promise<KnownObjects> {
  const wanted: readonly (string | true)[] = stacks === true ? [stacks] : stacks;
  const each = await inParallel(wanted, MOST_ENGINES, knownObjects);
  return {
    has: (vaultUrl, collection, name) => each.some((known) => known.has(vaultUrl, collection, name)),
    isResource: (type, resourceName) => each.some((known) => known.isResource(type, resourceName)),
  };
}

/** What a stack of the project in this folder has. `true` stands for the selected stack. */
export async function knownObjects(stack: string | true): Promise<KnownObjects> {
  return knownOf(await readStackState(stack));
}

/** What is in the state of one stack. */
export function knownOf(resources: readonly StateResource[]): KnownObjects {
  const objects = new Set<string>();
  const names = new Set<string>();
  for (const { urn, type, inputs, outputs } of resources) {
    names.add(`${type} ${urn.split("::").slice(3).join("::")}`);
    if (type === RESOURCE_TYPES.keySet) for (const key of keysIn(outputs)) objects.add(key);
    const collection = COLLECTIONS[type];
    const { vaultUrl, name } = outputs ?? inputs ?? {};
    if (collection && typeof vaultUrl === "string" && typeof name === "string") {
      objects.add(objectKey(vaultUrl, collection, name));
    }
  }
  return {
    has: (vaultUrl, collection, name) => objects.has(objectKey(vaultUrl, collection, name)),
    isResource: (type, resourceName) => names.has(`${type} ${resourceName}`),
  };
}

/** Each key of a set is the stack's as a Key is. */
function keysIn(outputs: StateResource["outputs"]): string[] {
  const { vaultUrl, records } = outputs ?? {};
  if (typeof vaultUrl !== "string") return [];
  return [...unpackRecords(records).keys()].map((name) => objectKey(vaultUrl, "keys", name));
}

/** Names of a vault are compared without case, and vaults without the ways to spell them. */
export function objectKey(vaultUrl: string, collection: ListedCollection, name: string): string {
  const vault = vaultUrl.startsWith(EMBEDDED)
    ? `${EMBEDDED}${resolve(vaultUrl.slice(EMBEDDED.length))}`
    : (vaultKey(vaultUrl) ?? vaultUrl);
  return `${vault}/${collection}/${name.toLowerCase()}`;
}
