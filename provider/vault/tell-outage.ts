import { tell } from "../engine/progress.js";

/** One line for all that waits for a vault at this moment. */
export function tellOutage(vaultUrl: string): void {
  tell(`${vaultUrl} does not answer any more: waiting for it, two minutes at most`);
}

const throttled = new Set<string>();

/** As {@link tellOutage}, for the service's limits. */
export function tellThrottled(vaultUrl: string): void {
  throttled.add(vaultUrl);
  tell(`${vaultUrl} takes no more requests for the moment (429): the rest waits for its turn`);
}

/** Whether this run has met the service's limits at a vault. */
export function isThrottled(vaultUrl: string): boolean {
  return throttled.has(vaultUrl);
}
