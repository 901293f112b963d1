import type { Finish } from "./plan.js";
import type { Windows } from "./stage.js";

/** Milliseconds from one exchange to the next: how often clients poll. */
export const pace = 2_000;
/** A change that the recording never shows finished takes longer than the recording. */
const unseen = 3_600_000;
export const noWindows: Windows = { deleting: 0, recovering: 0, recoveringWrites: 0, purging: 0 };

/** Changes end half a pace before the step that shows them finished. */
export function windowsFrom(finish: Finish, index: number): Windows {
  const until = (step: number | undefined) =>
    step === undefined ? unseen : Math.max(0, (step - index) * pace - pace / 2);
  const recovering = until(finish.readableBy ?? finish.writableBy);
  return {
    deleting: until(finish.deletedBy),
    recovering,
    recoveringWrites: Math.max(0, until(finish.writableBy) - recovering),
    purging: until(finish.purgedBy),
  };
}
