import { parseIsoDuration } from "../engine/duration.js";

/** Milliseconds of `30d`, or of an ISO 8601 duration such as `P30D` (years of 365, months of 30 days). */
export function parsePeriod(text: string): number | undefined {
  const days = /^(\d{1,5})d$/i.exec(text)?.[1];
  return days === undefined ? parseIsoDuration(text) : Number(days) * 86_400_000;
}
