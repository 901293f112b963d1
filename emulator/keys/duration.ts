const duration = /^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?$/;

/** A span of the calendar, as rotation policies have it: years, months and days. */
export interface Duration {
  readonly months: number;
  readonly days: number;
}

export function readDuration(text: string): Duration | undefined {
  const found = duration.exec(text);
  if (found === null || text === "P") return undefined;
  return { months: Number(found[1] ?? 0) * 12 + Number(found[2] ?? 0), days: Number(found[3] ?? 0) };
}

/** `from` (seconds) moved by the span, forward or (`sign` -1) back. */
export function shift(from: number, span: Duration, sign: 1 | -1 = 1): number {
  const date = new Date(from * 1000);
  if (span.months > 0) {
    const day = date.getUTCDate();
    date.setUTCDate(1);
    date.setUTCMonth(date.getUTCMonth() + sign * span.months);
    const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    date.setUTCDate(Math.min(day, last));
  }
  return Math.floor(date.getTime() / 1000) + sign * span.days * 86_400;
}

/** For comparing spans: a month counts 30 days, a year 365. */
export const roughDays = (span: Duration) => Math.floor(span.months / 12) * 365 + (span.months % 12) * 30 + span.days;
