/**
 * Tells the user of a run something that is no error: a long wait, a key that is gone. The engine shows what a
 * provider writes to its standard output as information.
 */
export function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `1 min 05 s` of milliseconds. */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}
