import fc from "fast-check";
import { type History, history } from "./history.js";
import { simulatedHistory } from "./simulated-history.js";

/** Histories that one seed draws. */
export interface Slice {
  seed: number;
  runs: number;
  /** One of them alone, as a failure names it. */
  path?: string | undefined;
  shrinks: boolean;
  /** Whether each is simulated once more, and has to send the same requests. */
  isRepeated: boolean;
}

/** What became of a slice: undefined where every promise was kept. */
export interface Outcome {
  failure: string | undefined;
}

// Thousands of errors are made a second, and where they come from is asked of one at most.
const { stackTraceLimit } = Error;

export async function simulatedSlice({ seed, runs, path, shrinks, isRepeated }: Slice): Promise<Outcome> {
  const hold = async (chosen: History): Promise<void> => {
    const requests = await simulatedHistory(chosen);
    if (!isRepeated) return;
    const again = await simulatedHistory(chosen);
    if (requests.join("\n") !== again.join("\n")) throw new Error("the same history sends other requests");
  };
  Error.stackTraceLimit = 0;
  const parameters = { seed, numRuns: runs, endOnFailure: !shrinks, ...(path === undefined ? {} : { path }) };
  const details = await fc.check(fc.asyncProperty(history, hold), parameters);
  if (!details.failed) return { failure: undefined };
  Error.stackTraceLimit = stackTraceLimit;
  const [counterexample] = details.counterexample ?? [];
  const failure = await simulatedHistory(counterexample as History).catch((error: Error) => error.stack);
  return { failure: `${fc.defaultReportMessage(details)}\n${failure}` };
}
