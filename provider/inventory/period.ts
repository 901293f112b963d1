import { parseIsoDuration } from "../engine/duration.js";

/** Milliseconds of `30d`, or of an ISO 8601 duration such as `P30D` or `P2W` (years of 365, months of 30 days). */
export function parsePeriod(text: string): number | undefined {
  const [, days, weeks] = /^(?:(\d{1,5})d|P(\d{1,4})W)$/i.exec(text) ?? [];
  if (days !== undefined) return Number(days) * 86_400_000;
  return weeks === undefined ? parseIsoDuration(text) : Number(weeks) * 7 * 86_400_000;
}
