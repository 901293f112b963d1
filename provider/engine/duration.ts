const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest that an operation may be given to wait: timers of the runtime end below 25 days. */
export const LONGEST_TIMEOUT = 480 * 3_600_000;

/** Milliseconds of a Pulumi-style duration such as `90s`, `5m` or `1h30m`; undefined where the text is none. */
export function parseTimeout(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,9})?[smh]){1,9}$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)([smh])/g)) {
    total += Number(amount) * (UNITS[unit] ?? 0);
  }
  return total > 0 ? total : undefined;
}

/**
 * Milliseconds of an ISO 8601 duration as the service takes them in rotation policies: years, months and days, no weeks
 * and no times. Years have 365 days, and so have twelve months; other months 30.
 */
export function parseIsoDuration(text: string): number | undefined {
  const match = /^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?$/.exec(text);
  if (!match || text === "P") return undefined;
  const [years = 0, months = 0, days = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((years + Math.floor(months / 12)) * 365 + (months % 12) * 30 + days) * 86_400_000;
}
