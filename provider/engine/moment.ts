/** What a moment has to be, for a message. */
export const MOMENT = 'must be a moment in ISO 8601 with its zone, such as "2027-06-30T00:00:00Z"';

/** Seconds of 9999-12-31T23:59:59Z: the service keeps no later moment, and none before 1970. */
const LAST_SECOND = 253_402_300_799;

/**
 * The moment that a text names, or what is wrong with it, for a message that does not say the text. Only moments of the
 * calendar: `Date` takes 2027-02-31 for March 3.
 */
export function readMoment(text: string): { moment: Date } | { problem: string } {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
    text,
  );
  if (found === null) return { problem: MOMENT };
  const [, year, month, day, hour, minute, second, zone] = found;
  if (hour === undefined) return { problem: `${MOMENT}: this is a day, which begins at another moment in each zone` };
  if (zone === undefined)
    return { problem: `${MOMENT}: this one has no zone; add Z for UTC, or an offset such as +02:00` };
  const fields = [month, day, hour, minute, second ?? "0"].map(Number);
  const [months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = fields;
  const [, sign = "+", zoneHours = "0", zoneMinutes = "0"] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  const local = new Date(0);
  local.setUTCFullYear(Number(year), months - 1, days);
  const isInCalendar = months >= 1 && months <= 12 && days >= 1 && local.getUTCDate() === days;
  if (!isInCalendar) return { problem: `${MOMENT}: there is no such day in the calendar` };
  if (hours > 23 || minutes > 59 || seconds > 59 || Number(zoneHours) > 23 || Number(zoneMinutes) > 59) {
    return { problem: `${MOMENT}: there is no such time of day` };
  }
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -1 : 1);
  const time = local.setUTCHours(hours, minutes - offset, seconds) / 1000;
  if (time < 0 || time > LAST_SECOND) return { problem: "must be between the years 1970 and 9999 in UTC" };
  return { moment: local };
}

/** `2027-06-30T00:00:00Z`: the form of every moment in inputs and outputs. */
export function formatMoment(moment: Date): string {
  return new Date(Math.floor(moment.getTime() / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
