import type { Clock } from "./clock.js";
import type { Ground, Layer } from "./dispatch.js";

/** A look and the write that follows it are two requests, and this is about as close together as they come. */
const FRESH_FOR_MS = 1_000;

/**
 * Holds a write that rests on a look until that look is fresh. Between the two a write may wait for its turn among
 * others, for a token, or for another try after a refusal, and the service has no conditional writes: what was looked at
 * may be somebody else's by then. The innermost layer, so that nothing waits any more after it.
 */
export function freshLookLayer(clock: Clock): Layer {
  return (next) => (request) => {
    const { ground, headers, body } = request;
    // The question who is there carries nothing, and everybody waits for its answer, the look too.
    const isQuestion = body === undefined && headers.authorization === undefined;
    if (ground === undefined || isQuestion || clock.now() - ground.lookedAt <= FRESH_FOR_MS) return next(request);
    return lookAgain(ground).then(() => next(request));
  };

  async function lookAgain(ground: Ground): Promise<void> {
    await ground.lookAgain();
    ground.lookedAt = clock.now();
  }
}
