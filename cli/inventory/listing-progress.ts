import { formatElapsed } from "../../provider/engine/progress.js";

const EVERY_MS = 5_000;

/**
 * Says on standard error every few seconds how far a long list has come; of a short one, nothing.
 *
 * @returns what is to be called for each line of the list
 */
export function listingProgress(
  vaultUrl: string,
  { now = Date.now, say = tellOnStandardError }: { now?(): number; say?(line: string): unknown } = {},
): () => void {
  const start = now();
  let told = start;
  let count = 0;
  return () => {
    count += 1;
    const at = now();
    if (at - told < EVERY_MS) return;
    told = at;
    say(`${vaultUrl}: ${count.toLocaleString("en-US")} listed so far (${formatElapsed(at - start)})\n`);
  };
}

function tellOnStandardError(line: string): void {
  process.stderr.write(line);
}
