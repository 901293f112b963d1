import { isKeyVaultError, type KeyVaultErrorCode } from "../keyvault/errors.js";

/** The client limits parallel calls by what the vault bears, up to this many; more would wait within their budgets. */
export const PARALLEL_OBJECTS = 64;

/** Failures of the vault or the way to it rather than of one object. */
const OUTAGE: ReadonlySet<KeyVaultErrorCode> = new Set([
  "KV_UNAUTHENTICATED",
  "KV_FORBIDDEN",
  "KV_THROTTLED",
  "KV_UNAVAILABLE",
  "KV_TIMEOUT",
  "KV_TRANSPORT",
  "KV_PROTOCOL",
]);
const OUTAGE_AFTER = 10;

/** Of the work of many objects: after ten outages in a row the rest is not tried. */
export class OutageCount {
  #inARow = 0;

  succeeded(): void {
    this.#inARow = 0;
  }

  /**
   * @param isOfAll where the failure is known to strike every object, whatever its code.
   * @returns whether the rest is not to be tried.
   */
  failed(error: unknown, isOfAll = false): boolean {
    const isOutage = isOfAll || (isKeyVaultError(error) && OUTAGE.has(error.code));
    this.#inARow = isOutage ? this.#inARow + 1 : 0;
    return this.#inARow >= OUTAGE_AFTER;
  }
}
