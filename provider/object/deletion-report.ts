import { formatMoment } from "../engine/input-check.js";
import { tell } from "../engine/progress.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import type { VaultObject } from "./vault-object.js";

/** Tells that an object is gone, and where it was soft-deleted, when and until when it can be recovered. */
export async function tellGone({ label, deleted: look }: VaultObject<unknown, SoftDeleted>): Promise<void> {
  try {
    const deleted = await look();
    if (!deleted) {
      tell(`${label} is gone: it is neither there nor among the deleted ones`);
      return;
    }
    const when = deleted.deletedOn ? ` on ${formatMoment(deleted.deletedOn)}` : "";
    const until = deleted.scheduledPurgeDate ? ` until ${formatMoment(deleted.scheduledPurgeDate)}` : "";
    tell(
      `${label} was soft-deleted outside${when} and can be recovered${until}: the next \`pulumi up\` does that, unless ifSoftDeleted is "fail"`,
    );
  } catch {
    // Whether it can be recovered is a kindness: the 404 on the object itself has already told that it is gone.
    tell(`${label} is gone; whether it can be recovered could not be read`);
  }
}
