let isWatching = false;

/**
 * Ends this process with the engine that has started it. The engine reads what a program and a provider write; where it
 * was killed, the next line fails with EPIPE, and Pulumi's hosts for both, which write each uncaught error to the same
 * broken pipe, would go round for ever, a core and gigabytes at a time. Nothing can be recorded any more: what was under
 * way is found by the next run.
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

/** The same for the process of a program, where the engine has started that one: of the Automation API's it is the user's own. */
export function endProgramWithEngine(main: string | undefined = process.argv[1]): void {
  if (main !== undefined && /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run([\\/]|$)/.test(main)) endWithEngine();
}
