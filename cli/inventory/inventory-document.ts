import { z } from "zod";
import { UNREAD_PARTS } from "../vault/unread-object.js";

const moment = z.string().describe("ISO 8601, in UTC.").optional();

const listed = z.object({
  name: z.string(),
  version: z.string().optional().describe("With --versions."),
  enabled: z.boolean().optional().describe("Not of deleted ones."),
  createdOn: moment,
  updatedOn: moment,
  notBefore: moment,
  expiresOn: moment,
  deletedOn: moment,
  recoverableUntil: moment,
  ageInDays: z.number().optional(),
  expired: z.boolean().optional(),
  managedByCertificate: z.boolean(),
  tags: z.record(z.string(), z.string()).describe("Without the one by which it says who owns it."),
  owner: z.string().optional().describe("The project and stack that own it, as its owner tag says."),
  inStack: z.boolean().optional().describe("With --stack."),
  rotates: z.boolean().optional().describe("With --rotation."),
});

const vault = {
  vaultUrl: z.string(),
  takenOn: z.string(),
  complete: z.boolean(),
  keys: z.array(listed),
  secrets: z.array(listed),
  deletedKeys: z.array(listed),
  deletedSecrets: z.array(listed),
  unread: z.array(
    z.object({
      collection: z.enum(["keys", "secrets"]),
      name: z.string().describe("Or * for all of them."),
      part: z.enum(UNREAD_PARTS).optional().describe("Left out for the object itself."),
      code: z.string(),
      reason: z.string(),
    }),
  ),
};

/** What `inventory --format json` prints of one vault. `docs/schemas/inventory.json` is made of it. */
export const inventoryDocument = z.object({ format: z.literal("pulumi-keyvault/inventory/1"), ...vault });

/** What it prints of several. `docs/schemas/inventories.json` is made of it. */
export const inventoriesDocument = z.object({
  format: z.literal("pulumi-keyvault/inventories/1"),
  complete: z.boolean(),
  vaults: z.array(z.object(vault)),
  unread: z.array(z.object({ vaultUrl: z.string(), code: z.string(), reason: z.string() })),
});

export type InventoryDocument = z.input<typeof inventoryDocument>;
export type InventoriesDocument = z.input<typeof inventoriesDocument>;
