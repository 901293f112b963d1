import { tell } from "../engine/progress.js";

/** The service backs up no object with more versions, and versions cannot be deleted one by one. */
const MOST_VERSIONS = 500;
const WARNED_FROM = 450;

/** Warns of an object whose versions will soon be more than a backup can hold. */
export function tellIfManyVersions(label: string, count: number): void {
  if (count < WARNED_FROM) return;
  tell(
    `${label} has ${count} versions, and no backup can hold more than ${MOST_VERSIONS}: go on under another name before`,
  );
}
