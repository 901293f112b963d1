import { z } from "zod";
import type { DeletedSecretBundle, DeletedSecretItem, SecretBundle, SecretItem } from "../secret-bundle.js";
import { sentAttributes, tags } from "./attributes.js";
import { AnswerSchema, present } from "./json.js";
import { objectIdentifier } from "./object-identifier.js";
import { softDeletedMembers, toSoftDeleted } from "./soft-deleted.js";
import { address } from "./word.js";

const members = {
  id: objectIdentifier("secrets"),
  value: z.string().nullish(),
  contentType: z.string().nullish(),
  kid: address.nullish(),
  attributes: sentAttributes,
  tags,
  managed: z.boolean().nullish(),
};
const wireSecret = z.object(members);
const wireDeletedSecret = z.object({ ...members, ...softDeletedMembers });

export const secretBundle = new AnswerSchema(wireSecret.transform(toSecretBundle));
export const deletedSecretBundle = new AnswerSchema(
  wireDeletedSecret.transform(
    (wire, context): DeletedSecretBundle => ({ ...toSecretBundle(wire, context), ...toSoftDeleted(wire) }),
  ),
);
export const secretItem = new AnswerSchema(wireSecret.transform(toSecretItem));
export const deletedSecretItem = new AnswerSchema(
  wireDeletedSecret.transform((wire): DeletedSecretItem => ({ ...toSecretItem(wire), ...toSoftDeleted(wire) })),
);

function toSecretItem(wire: z.output<typeof wireSecret>): SecretItem {
  const { exportable, hsmPlatform, keySize, ...attributes } = wire.attributes ?? {};
  return {
    id: wire.id.id,
    name: wire.id.name,
    ...present({ version: wire.id.version, contentType: wire.contentType, keyId: wire.kid }),
    enabled: true,
    ...attributes,
    tags: wire.tags,
    managed: wire.managed ?? false,
  };
}

function toSecretBundle(wire: z.output<typeof wireSecret>, context: z.RefinementCtx): SecretBundle {
  const { version } = wire.id;
  if (version === undefined) {
    context.addIssue({ code: "custom", path: ["id"], message: "no version" });
    return z.NEVER;
  }
  return { ...toSecretItem(wire), version, ...present({ value: wire.value }) };
}
