import { tell } from "../engine/progress.js";

/** One line for all that waits for a vault at this moment. */
export function tellOutage(vaultUrl: string): void {
  tell(`${vaultUrl} does not answer any more: waiting for it, two minutes at most`);
}
