import { resolve } from "node:path";
import { z } from "zod";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { vaultKey } from "../../provider/keyvault/identifier.js";
import { EMBEDDED } from "../../provider/vault/vault-identity.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import { CliError } from "../failure/cli-error.js";
import type { ListedCollection } from "../vault/name-filter.js";
import { MOST_ENGINES, runEngine } from "./engine-run.js";

/** What a stack's state already has. */
export interface KnownObjects {
  has(vaultUrl: string, collection: ListedCollection, name: string): boolean;
  /** Whether a resource of that type has that name in the stack. */
  isResource(type: string, resourceName: string): boolean;
}

export const NOTHING_KNOWN: KnownObjects = { has: () => false, isResource: () => false };

const deployment = z.looseObject({
  deployment: z
    .looseObject({
      resources: z
        .array(
          z.looseObject({
            urn: z.string(),
            type: z.string(),
            outputs: z.record(z.string(), z.unknown()).nullish(),
            inputs: z.record(z.string(), z.unknown()).nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

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

/** Reads the state of a stack of the project in this folder. `true` stands for the selected stack. */
export async function knownObjects(stack: string | true): Promise<KnownObjects> {
  const args = ["stack", "export", "--non-interactive", ...(stack === true ? [] : ["--stack", stack])];
  const { exitCode, stdout, stderr } = await runEngine(args);
  if (exitCode !== 0) {
    const why = stderr.replace(/^error: /gm, "").trim() || `pulumi ended with ${exitCode}`;
    throw new CliError(
      "KV_STACK",
      `the state of ${stack === true ? "the selected stack" : `stack "${stack}"`} cannot be read (${why}): run it in the project's folder, with the stack's name after --stack`,
      exitCode,
    );
  }
  const parsed = deployment.safeParse(parseJson(stdout));
  if (!parsed.success)
    throw new CliError("KV_STACK", "pulumi stack export gave no state that is known here: update pulumi-keyvault");
  const objects = new Set<string>();
  const names = new Set<string>();
  for (const { urn, type, inputs, outputs } of parsed.data.deployment?.resources ?? []) {
    names.add(`${type} ${urn.split("::").slice(3).join("::")}`);
    const collection = COLLECTIONS[type];
    const { vaultUrl, name } = outputs ?? inputs ?? {};
    if (collection && typeof vaultUrl === "string" && typeof name === "string") {
      objects.add(address(vaultUrl, collection, name));
    }
  }
  return {
    has: (vaultUrl, collection, name) => objects.has(address(vaultUrl, collection, name)),
    isResource: (type, resourceName) => names.has(`${type} ${resourceName}`),
  };
}

/** Names of a vault are compared without case, and vaults without the ways to spell them. */
function address(vaultUrl: string, collection: ListedCollection, name: string): string {
  const vault = vaultUrl.startsWith(EMBEDDED)
    ? `${EMBEDDED}${resolve(vaultUrl.slice(EMBEDDED.length))}`
    : (vaultKey(vaultUrl) ?? vaultUrl);
  return `${vault}/${collection}/${name.toLowerCase()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
