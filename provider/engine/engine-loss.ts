let isWatching = false;

/**
 * Ends this process with the engine that has started it. The engine reads what a provider writes; where it was killed,
 * the next line fails with EPIPE, and the dynamic provider host, which writes each uncaught error to the same broken
 * pipe, would go round for ever, a core and gigabytes at a time. Nothing can be recorded any more: what was under way is
 * found by the next run.
 */
export function endWithEngine(): void {
  if (isWatching) return;
  isWatching = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(1);
    });
  }
}
