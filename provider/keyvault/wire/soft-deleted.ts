import { z } from "zod";
import type { SoftDeleted } from "../key-bundle.js";
import { epochSeconds, present } from "./json.js";
import { address } from "./word.js";

/** Members that a delete adds. Absent in vaults without soft delete. */
export const softDeletedMembers = {
  recoveryId: address.nullish(),
  deletedDate: epochSeconds.nullish(),
  scheduledPurgeDate: epochSeconds.nullish(),
};

const softDeleted = z.object(softDeletedMembers);

export function toSoftDeleted(wire: z.output<typeof softDeleted>): SoftDeleted {
  return present({
    recoveryId: wire.recoveryId,
    deletedOn: wire.deletedDate,
    scheduledPurgeDate: wire.scheduledPurgeDate,
  });
}
