import { tell } from "../engine/progress.js";
import { OWNER_TAG, type Owner, ownerOf } from "./owner-tag.js";

interface Recorded {
  /** The mark that a refresh found in the place of ours. */
  otherMark?: string;
  adopt?: boolean;
}

/**
 * The owner of another stack who has taken an object that this state still records: what an update writes keeps that
 * mark, so that the object is left alone when it goes from here. Only `adopt: true`, newly said, takes it back.
 *
 * @param own who writes; undefined where owner tags are off.
 */
export function otherOwner(
  { label }: { label: string },
  { otherMark, adopt }: Recorded,
  inputs: { adopt?: boolean | undefined },
  own: Owner | undefined,
): Owner | undefined {
  if (otherMark === undefined || own === undefined || (inputs.adopt && !adopt)) return undefined;
  const other = ownerOf({ [OWNER_TAG]: otherMark });
  if (other === undefined || other.stack === own.stack) return undefined;
  tell(
    `${label} keeps the mark of stack "${other.stack}", which has taken it${inputs.adopt ? "" : " (adopt: true takes it back)"}`,
  );
  // What a version is made of follows from this program.
  return { stack: other.stack, token: other.token, ...(own.source === undefined ? {} : { source: own.source }) };
}
