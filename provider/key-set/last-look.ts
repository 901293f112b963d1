import { formatMoment } from "../engine/moment.js";
import { runClock } from "../engine/run-clock.js";
import type { KeyRecords } from "./packed-records.js";

/**
 * The vault tells whole seconds: what was written in the second of the last look, or is told with a clock that goes a
 * little behind, may have been written once more after it and still tell the same second.
 */
const SETTLED_AFTER_MS = 2_000;

/**
 * Whether another write of a key since the last look at its set would show in the vault's list as another moment.
 *
 * @param lookedOn as state records it; without one, nothing is known.
 */
export function isSettled(updatedOn: unknown, lookedOn: string | undefined): boolean {
  return Date.parse(String(updatedOn)) < Date.parse(String(lookedOn)) - SETTLED_AFTER_MS;
}

/**
 * The last look at a set after a run that has written some of its keys, and asked for none of the others. One of these
 * that may have changed unseen stays open until a refresh reads it. Of the clocks of vault and program, the one that is
 * behind counts.
 */
export function lookAfterWrites(
  lookedOn: string | undefined,
  before: KeyRecords,
  after: KeyRecords,
): string | undefined {
  let latest = Number.NEGATIVE_INFINITY;
  for (const [name, { facts }] of after) {
    const known = before.get(name)?.facts;
    const isAsBefore = known?.version === facts.version && known?.updatedOn === facts.updatedOn;
    if (!isAsBefore) latest = Math.max(latest, Date.parse(String(facts.updatedOn)));
    else if (!isSettled(facts.updatedOn, lookedOn)) return lookedOn;
  }
  return Number.isFinite(latest) ? formatMoment(new Date(Math.min(latest, runClock.now()))) : lookedOn;
}
