import { z } from "zod";

const moment = z.string().describe("ISO 8601, in UTC.").optional();

const backup = z.object({
  resource: z.string().describe("Stack and resource that hold it."),
  takenOn: z.string(),
  current: z.boolean().describe("False where the object was changed since."),
});

const object = z.object({
  vaultUrl: z.string(),
  kind: z.enum(["key", "secret"]),
  name: z.string(),
  type: z.string().optional().describe("Of a key, such as RSA 2048 or EC P-256; of a secret its content type."),
  enabled: z.boolean(),
  createdOn: moment,
  updatedOn: moment,
  notBefore: moment,
  expiresOn: moment,
  ageInDays: z.number().optional(),
  expiresInDays: z.number().optional().describe("Negative where it has expired."),
  rotates: z.boolean().optional().describe("Of a key whose policy could be read."),
  managedByCertificate: z.boolean(),
  owner: z.string().optional().describe("The project and stack that own it, as its owner tag says."),
  inStack: z.boolean().optional().describe("With --stack."),
  backup: backup.optional().describe("With --stack: the newest that a stack holds."),
  drift: z
    .array(z.object({ property: z.string(), consequence: z.string() }))
    .optional()
    .describe("With --drift."),
  concerns: z
    .array(
      z.enum([
        "expired",
        "expires soon",
        "never expires",
        "disabled",
        "not rotated",
        "unmanaged",
        "no backup",
        "stale backup",
        "drifted",
      ]),
    )
    .describe("What an owner would want to look at."),
});

const deleted = z.object({
  vaultUrl: z.string(),
  kind: z.enum(["key", "secret"]),
  name: z.string(),
  deletedOn: moment,
  recoverableUntil: moment,
  daysLeft: z.number().optional(),
});

/** What `report --format json` prints, and what the page is made of. `docs/schemas/report.json` is made of it. */
export const reportDocument = z.object({
  format: z.literal("pulumi-keyvault/report/1"),
  takenOn: z.string(),
  complete: z.boolean().describe("False where a vault or an object could not be read."),
  soonInDays: z.number().describe("What expires within so many days expires soon."),
  vaults: z.array(z.string()),
  stacks: z.array(z.string()).describe("Whose state tells what is managed and backed up."),
  objects: z.array(object),
  deleted: z.array(deleted),
  unread: z.array(z.object({ what: z.string(), code: z.string(), reason: z.string() })),
});

export type ReportDocument = z.input<typeof reportDocument>;
export type ReportedObject = ReportDocument["objects"][number];
export type Concern = ReportedObject["concerns"][number];
