const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Pulumi-style duration such as `90s`, `5m` or `1h30m`; undefined where the text is none. */
export function parseTimeout(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?[smh])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)([smh])/g)) {
    total += Number(amount) * (UNITS[unit] ?? 0);
  }
  return total > 0 ? total : undefined;
}

/** Milliseconds of an ISO 8601 duration as rotation policies use them (years of 365, months of 30 days). */
export function parseIsoDuration(text: string): number | undefined {
  const match = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/.exec(text);
  if (!match || text === "P") return undefined;
  const [years, months, weeks, days] = match.slice(1).map((part) => Number(part ?? 0));
  return ((years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0)) * 86_400_000;
}
