import type { VaultResponse } from "./dispatch.js";

/**
 * Milliseconds that an answer asks to wait: seconds or an HTTP date. The service itself gives none with its 429. Some proxies and recorders write 0, which says
 * nothing.
 */
export function retryAfterMs({ headers }: VaultResponse, now: number): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined || value === "") return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return wait > 0 ? wait : undefined;
}
