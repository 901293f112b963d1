import { z } from "zod";
import { ON_DELETE } from "./object-inputs.js";

/** A member that state may lack. The engine writes members that were cleared as null. */
export const optionalMember = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === null ? undefined : value), schema.optional());

const text = optionalMember(z.string());
/** As they are: a record of the schema's own making would be without a tag named `__proto__`. */
const tags = optionalMember(
  z
    .custom<Record<string, string>>((value) => typeof value === "object" && value !== null && !Array.isArray(value))
    .superRefine((value, context) => {
      for (const [name, tag] of Object.entries(value)) {
        if (typeof tag !== "string") context.addIssue({ code: "custom", path: [name] });
      }
    }),
);

/**
 * What stands in state of every object, whether as inputs or as outputs, since 0.1.0. A schema has to be loose: members
 * of a later version stay as they are.
 */
export const recordedObject = {
  vaultUrl: z.string(),
  name: z.string(),
  restore: text,
  adopt: optionalMember(z.literal(true)),
  onDelete: optionalMember(z.enum(ON_DELETE)),
  ifSoftDeleted: optionalMember(z.literal("fail")),
  previousVersions: optionalMember(z.literal("disable")),
  timeouts: optionalMember(z.looseObject({ create: text, read: text, update: text, delete: text })),
  /** True of adopted and restored objects only: of others 0.1.0 has recorded no default, and neither has any later release. */
  enabled: optionalMember(z.boolean()),
  credential: text,
  notBefore: text,
  expiresOn: text,
  tags,
};

/** What the outputs of every object hold beside its inputs. */
export const recordedFacts = {
  createdOn: text,
  updatedOn: text,
  recoveryLevel: text,
  recoverableDays: optionalMember(z.number()),
  foreignVersion: optionalMember(z.literal(true)),
  awaitsVersion: optionalMember(z.literal(true)),
  awaitsRecovery: optionalMember(z.literal(true)),
  ownerToken: text,
  formerToken: text,
  otherMark: text,
  superseded: optionalMember(z.array(z.string())),
};

/** As much of the outputs as a deletion needs. */
export const deletableObject = z.looseObject({
  vaultUrl: recordedObject.vaultUrl,
  name: recordedObject.name,
  onDelete: recordedObject.onDelete,
  timeouts: recordedObject.timeouts,
  credential: recordedObject.credential,
  recoveryLevel: recordedFacts.recoveryLevel,
  ownerToken: recordedFacts.ownerToken,
  formerToken: recordedFacts.formerToken,
  awaitsRecovery: recordedFacts.awaitsRecovery,
});
