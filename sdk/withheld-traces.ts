/** Stack traces that are not taken while a resource is made. */
export interface WithheldTraces {
  /** Gives a failure the trace that it was not given, and hands it back. */
  given(error: unknown): unknown;
  end(): void;
}

/**
 * Keeps the SDK from taking a stack trace for each of the four promises behind each output of a resource, which it has
 * for a search after promises that are never settled. Of a Key these are a hundred, and writing them down costs the
 * program more than all the rest of it. Where the resource stands in the program is recorded all the same.
 *
 * Nothing asynchronous happens before the end, so no trace of anybody else's is missed.
 */
export function withheldTraces(): WithheldTraces {
  const { stackTraceLimit } = Error;
  const end = (): void => {
    Error.stackTraceLimit = stackTraceLimit;
  };
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) Error.stackTraceLimit = 0;
  return {
    end,
    given(error) {
      end();
      if (error instanceof Error) Error.captureStackTrace(error);
      return error;
    },
  };
}
