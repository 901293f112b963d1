import { z } from "zod";

/** A list of names, or the digest of a long one. */
const names = z.union([z.array(z.string()), z.string()]);

/** What a program says of an inventory, in normal form. */
const said = {
  vaultUrl: z.string(),
  credential: z.string().exactOptional(),
  /** Names of what the vault is to have. */
  expect: names.exactOptional(),
  /** Names of what Key or Secret resources of the program manage. */
  expectResources: names.exactOptional(),
  /** Globs over names. */
  ignore: z.array(z.string()).exactOptional(),
  onUnmanaged: z.literal("fail").exactOptional(),
  expiresWithin: z.string().exactOptional(),
  /** Of keys. */
  rotation: z.literal(true).exactOptional(),
};

/**
 * What `check` hands on. State holds `drift` too: by name, what became of each key or secret since the last update. A
 * program never says any: `read` fills it in, and so the engine, which compares recorded inputs with the program's, shows
 * each that drifted by its name.
 */
export const inventoryInputs = z.looseObject({
  ...said,
  includeKeys: z.literal(true).exactOptional(),
  includeSecrets: z.literal(true).exactOptional(),
});

/** Of the outputs what a refresh goes on from; the others it makes anew. */
export const inventoryOutputs = z.looseObject({
  ...said,
  missing: z.array(z.string()),
  roll: z.string(),
  keys: z.array(z.unknown()).exactOptional(),
  secrets: z.array(z.unknown()).exactOptional(),
});

export type InventoryInputs = z.output<typeof inventoryInputs>;
